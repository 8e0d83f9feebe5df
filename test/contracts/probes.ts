import { describe, test } from "vitest";
import type { Probes } from "../../shared/ports.ts";

export interface ProbesStage {
  readonly probes: Probes;
  /**
   * Answers 200 and `NAME at PLACE`, where NAME is the Host header and PLACE is `here` or, at `otherHost`'s address, `there`. Its name
   * is a CNAME. Under the path `/503` it answers 503, under `/silent` never, under `/endless` without end.
   */
  readonly url: string;
  readonly otherHost: string;
  /** Addresses of the name in `url`, and the time to live that is shown for it. */
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
  /** The same server under a name that its certificate does not hold. */
  readonly wrongNameUrl: string;
  /** A name with an address where nobody listens. */
  readonly deadUrl: string;
  /** A name that does not exist. */
  readonly noName: string;
}

/** What every Probes must do. */
export function probesContract(name: string, open: () => Promise<ProbesStage>): void {
  const timeoutSeconds = 5;
  const at = (url: string, path: string) => new URL(path, url).href;

  describe(`${name} keeps the probes contract`, () => {
    test("a page is asked under its own name", async ({ expect }) => {
      const { probes, url } = await open();
      expect(await probes.get(url, { timeoutSeconds })).toMatchObject({ kind: "answered", status: 200, body: `${new URL(url).host} at here` });
    });

    test("another host is asked for the same name", async ({ expect }) => {
      const { probes, url, otherHost } = await open();
      expect(await probes.get(url, { timeoutSeconds, connectTo: otherHost })).toMatchObject({ kind: "answered", status: 200, body: `${new URL(url).host} at there` });
    });

    test("a refusal is an answer", async ({ expect }) => {
      const { probes, url } = await open();
      expect(await probes.get(at(url, "/503"), { timeoutSeconds })).toMatchObject({ kind: "answered", status: 503 });
    });

    test("of an endless page the first MiB is enough", async ({ expect }) => {
      const { probes, url } = await open();
      const answer = await probes.get(at(url, "/endless"), { timeoutSeconds });
      expect(answer.kind === "answered" && answer.body.length).toBe(1024 * 1024);
    });

    test("silence ends with the time that was given", async ({ expect }) => {
      const { probes, url } = await open();
      const answer = await probes.get(at(url, "/silent"), { timeoutSeconds: 0.3 });
      expect(answer).toMatchObject({ kind: "no-answer", why: "no answer within 0.3 s" });
      expect(answer.durationMs).toBeGreaterThanOrEqual(290);
      expect(answer.durationMs).toBeLessThan(2_000);
    });

    test("nobody there, no name, or the wrong certificate: no answer, and why", async ({ expect }) => {
      const { probes, deadUrl, wrongNameUrl, noName } = await open();
      expect(await probes.get(deadUrl, { timeoutSeconds })).toMatchObject({ kind: "no-answer", why: expect.stringContaining("ECONNREFUSED") as string });
      expect(await probes.get(wrongNameUrl, { timeoutSeconds })).toMatchObject({ kind: "no-answer", why: expect.stringMatching(/certificate/) as string });
      expect(await probes.get(`https://${noName}/`, { timeoutSeconds })).toMatchObject({ kind: "no-answer", why: `${noName} has no address` });
    });

    test("a name is followed to its addresses, with the chain and the shortest time to live", async ({ expect }) => {
      const { probes, url, addresses, ttlSeconds } = await open();
      const resolved = await probes.resolve(new URL(url).hostname);
      expect(resolved).toMatchObject({ kind: "resolved", addresses, ttlSeconds });
      expect(resolved.kind === "resolved" && resolved.chain.length).toBeGreaterThan(0);
    });

    test("a name that does not exist leads to nothing", async ({ expect }) => {
      const { probes, noName } = await open();
      expect(await probes.resolve(noName)).toMatchObject({ kind: "nothing" });
    });
  });
}
