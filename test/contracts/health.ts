import { describe, test } from "vitest";
import type { Health } from "../../shared/ports.ts";

export interface HealthStage {
  readonly health: Health;
  /** Available since before the test. */
  readonly resource: string;
  /** Makes it unavailable; Health may learn of it later. */
  readonly lose: () => void;
}

/** What every Health must do. */
export function healthContract(name: string, open: () => Promise<HealthStage>): void {
  describe(`${name} keeps the health contract`, () => {
    test("a resource is available until it is known to be lost, and says since when", async ({ expect }) => {
      const { health, resource, lose } = await open();
      expect(await health.of(resource)).toMatchObject({ state: "available", since: expect.any(Number) as number });
      lose();
      await expect.poll(async () => (await health.of(resource)).state).toBe("unavailable");
      const { since, summary } = await health.of(resource);
      expect(since).toBeGreaterThan(Date.parse("2020-01-01T00:00:00Z"));
      expect(summary).not.toBe("");
    });
  });
}
