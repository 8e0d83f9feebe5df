import { describe, test } from "vitest";
import type { Replication } from "../../shared/ports.ts";

export interface ReplicationStage {
  readonly replication: Replication;
  /** Destination of a policy for all of `velero`. */
  readonly destination: string;
  /** An account with no policy. */
  readonly other: string;
}

/** What every Replication must do about policies. */
export function policyContract(name: string, open: () => Promise<ReplicationStage>): void {
  describe(`${name} keeps the contract of replication policies`, () => {
    test("a destination shows its policy, an account without one shows none", async ({ expect }) => {
      const { replication, destination, other } = await open();
      const policy = await replication.policy(destination);
      expect(policy).toMatchObject({ policyId: expect.stringMatching(/.+/) as string, rules: [{ ruleId: expect.stringMatching(/.+/) as string, sourceContainer: "velero", destinationContainer: "velero", prefixes: [] }] });
      expect(policy?.sourceAccount).not.toBe(policy?.destinationAccount);
      expect(await replication.policy(other)).toBeNull();
    });

    test("a deleted policy is gone, and deleting it again is done already", async ({ expect }) => {
      const { replication, destination } = await open();
      const policyId = (await replication.policy(destination))?.policyId ?? "";
      expect(await replication.deletePolicy(destination, policyId)).toEqual({ kind: "deleted" });
      expect(await replication.policy(destination)).toBeNull();
      expect(await replication.deletePolicy(destination, policyId)).toEqual({ kind: "deleted" });
    });
  });
}

/** What every Replication must do about the Last Sync Time of a geo-redundant account. `at`: before that everything has been copied. */
export function lastSyncContract(name: string, open: () => Promise<{ readonly replication: Replication; readonly secondaryUrl: string; readonly at: number }>): void {
  describe(`${name} keeps the contract of the last sync time`, () => {
    test("the secondary endpoint itself says up to when it is whole", async ({ expect }) => {
      const { replication, secondaryUrl, at } = await open();
      const { state, lastSyncAt } = await replication.lastSync(secondaryUrl);
      expect(state).toBe("live");
      // HTTP dates have whole seconds.
      expect(Math.abs((lastSyncAt ?? 0) - at)).toBeLessThan(60_000);
    });
  });
}
