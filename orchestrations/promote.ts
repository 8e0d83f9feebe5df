/** Makes the replica of the backups ours. Shared storage has nothing to promote: it is read at its secondary endpoint, whatever happens. */
import type { Topology } from "../shared/domain/plan.ts";
import { waits } from "../shared/domain/runbook-terms.ts";
import { AbortAsked, type Desk, type Runbook, defineRunbook } from "./runbook.ts";
import { steps } from "./steps.ts";

/** Whether the store takes writes decides how a restore's own log, which it may refuse, is judged. */
export interface Store {
  readonly takesWrites: boolean;
}

export const promote = defineRunbook("promote", function* (desk: Desk, topology: Topology): Runbook<Store> {
  if (topology === "shared") {
    const store = yield* desk.until(steps.storeTakesWrites, { expect: "any" }, waits.lock);
    return { takesWrites: store.kind === "done" && store.value.kind === "writable" };
  }
  // Saved before it is deleted: reprotecting needs to know what it was.
  const policy = yield* desk.run(steps.readPolicy, {});
  if (policy.kind === "policy") {
    // Past this line the replica is cut off from its source: the data point of no return.
    const passed = yield* desk.run(steps.passDataPoint, {});
    if (passed.kind === "abort-asked") throw new AbortAsked(passed.by);
    const deleted = yield* desk.run(steps.deletePolicy, { policyId: policy.policyId });
    // Refused is no reason to stop: a locked replica can be restored from, its log aside.
    if (deleted.kind === "refused") return { takesWrites: false };
  }
  const store = yield* desk.until(steps.storeTakesWrites, { expect: "writable" }, waits.lock);
  return { takesWrites: store.kind === "done" && store.value.kind === "writable" };
}, "promote");
