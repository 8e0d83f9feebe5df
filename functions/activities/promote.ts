import type { Backups } from "../../shared/ports.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { pass } from "./gate.ts";
import type { Work } from "./perform.ts";

/** The policy as it is, kept in the ledger before it is deleted. Shared storage has none. */
export const readPolicy: Work<typeof steps.readPolicy> = async (_, { world, plan }) => {
  if (plan.storage.topology !== "replicated") return { kind: "none" };
  const policy = await world.replication.policy(plan.storage.replica.account);
  return policy === null ? { kind: "none" } : { kind: "policy", ...policy };
};

export const passDataPoint: Work<typeof steps.passDataPoint> = (_, duty) => pass("data", duty);

/** Deletes the policy on the destination, which unlocks the replica, and reads back that it is gone. Gone already is done. */
export const deletePolicy: Work<typeof steps.deletePolicy> = async ({ policyId }, { world, plan }) => {
  if (plan.storage.topology !== "replicated") return { kind: "refused", why: "shared storage has no replication policy" };
  const { account } = plan.storage.replica;
  const before = await world.replication.policy(account);
  if (before !== null && before.policyId !== policyId) return { kind: "refused", why: `the policy on the replica's account is ${before.policyId}, not ${policyId}: somebody changed it` };
  if (before !== null) {
    const deleted = await world.replication.deletePolicy(account, policyId);
    if (deleted.kind === "refused") return deleted;
  }
  if ((await world.replication.policy(account)) !== null) throw new Error("the replication policy reads back as still there");
  return { kind: "deleted" };
};

/**
 * Writes and deletes a small blob under `restores/`, the one folder where a restore writes: any other top-level folder would make
 * Velero's storage location Unavailable. The name is the run's own, so a repeat writes the same one.
 */
export const storeTakesWrites: Work<typeof steps.storeTakesWrites> = async ({ expect }, { world, plan, call }) => {
  const probe = await world.backups.probeWrite(placesOf(plan).replica, `restores/lifeboat-probe-${call.ref.runId}/probe`);
  if (probe.kind === "accepted") return { kind: "done", value: { kind: "writable" } };
  // Only a lock goes away by itself. Everything else is known now, and a restore can do without writes.
  if (probe.kind === "locked" && expect === "writable") return { kind: "not-yet", about: locked };
  return { kind: "done", value: { kind: "read-only", why: whyNot(probe) } };
};

const locked = "the container is locked by its replication policy";

function whyNot(probe: Exclude<Awaited<ReturnType<Backups["probeWrite"]>>, { kind: "accepted" }>): string {
  if (probe.kind === "refused") return `a write is refused: ${probe.why}`;
  return probe.kind === "locked" ? locked : "it is a secondary endpoint, which only reads";
}
