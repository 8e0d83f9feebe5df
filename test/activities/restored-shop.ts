/** The shop in the secondary, restored by an open run and served: what verification finds when all is well. */
import { verifyApplications } from "../../functions/activities/verify.ts";
import { steps } from "../../orchestrations/steps.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { contents, fencedAndChosen, object, openedRun, point } from "./run.ts";

export const snapshot = "6ea1de86c211f5058010060bb1db3690";
export const ours = { "velero.io/restore-name": "lifeboat-shop-1-shop", "velero.io/backup-name": point.name };
export const record = {
  contents: contents({ namespaces: { shop: { objects: 3, kinds: { "apps/v1/Deployment": 1, "apps/v1/StatefulSet": 1, "v1/PersistentVolumeClaim": 1 }, images: [], storageClasses: [] } } }),
  volumes: [{ namespace: "shop", claim: "data-orders-0", method: "file-system-backup" as const, snapshot, bytes: 7, restorable: true, why: "" }],
};

/** The shop, restored by this run and served. */
export async function restored(phase: Phase = "verify", plan?: Plan) {
  const run = await openedRun(plan === undefined ? { phase } : { phase, plan });
  await run.keep(record);
  const cluster = run.clusterOf(run.plan.secondary.cluster);
  const storefront = (labels: Record<string, string> = ours, readyReplicas = 5) => cluster.has(kinds.deployments, object("storefront", "shop", { labels, spec: { replicas: 5 }, status: { readyReplicas } }));
  const claim = (phase = "Bound", labels: Record<string, string> = ours) => cluster.has(kinds.persistentVolumeClaims, object("data-orders-0", "shop", { labels, status: { phase } }));
  const mover = (snapshotID: string, phase = "Completed", of = "lifeboat-shop-1-shop") => cluster.has(kinds.podVolumeRestores, object("mover-1", "velero", { labels: { "velero.io/restore-name": of }, spec: { snapshotID }, status: { phase } }));
  storefront();
  cluster.has(kinds.statefulSets, object("orders", "shop", { labels: ours, spec: { replicas: 1 }, status: { readyReplicas: 1 } }));
  claim();
  mover(snapshot);
  return { ...run, cluster, storefront, claim, mover, verify: async () => run.answer(steps.verifyApplications, verifyApplications, { applications: ["shop-foundation", "shop"], point }) };
}

/** The same, with what the run's own ledger holds by then: the decision, the fence, the point it chose, and that it was verified. */
export async function verified(phase: Phase) {
  const run = await restored(phase);
  await run.onRecord({ ...fencedAndChosen, verified: { kind: "done", value: { checks: [] } } });
  return run;
}
