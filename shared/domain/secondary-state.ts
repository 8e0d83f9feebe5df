/** Whether the secondary's cluster, as it is now, lets restored objects in and pods come up: its webhooks and its own pods. Pure. */
import { type FailClosed, judges } from "./admission.ts";
import type { Contents } from "./contents.ts";
import { answersOf, type FitAnswer } from "./fit-answer.ts";
import { namespacesOf } from "./ladder-levels.ts";
import type { Plan } from "./plan.ts";
import { someOf } from "./replica.ts";

/** What was seen. `null`: it could not be asked. */
export interface StateSeen {
  /** Fail-closed webhooks; `answered`: a ready pod stands behind its service. */
  readonly webhooks: readonly (FailClosed & { readonly answered: boolean | "unknown" })[] | null;
  /** Pods of `kube-system`, and those of them that have not come up in the time that pods take, with what they wait for. */
  readonly ownPods: { readonly count: number; readonly stuck: readonly string[] } | null;
  /** What the cluster gives its pods to sign in with. */
  readonly identity: { readonly oidcIssuer: boolean; readonly workloadIdentity: boolean } | null;
  /** The key vault whose key the replica's account is encrypted with: `none` where the key is the service's own. */
  readonly storeKey: { readonly vault: string } | "none" | null;
}

/** Whether what the backup holds would be let in. */
export function admission(contents: Contents, plan: Plan, { webhooks }: StateSeen): FitAnswer {
  const say = answersOf("admission", "admission-blocked");
  if (webhooks === null) return say("unknown", "the cluster's admission webhooks could not be listed");
  const blocking = blockedBy(contents, namespacesOf(plan), webhooks);
  if (blocking.length > 0) return say(false, `nobody answers for ${someOf(blocking)}, and what it should judge is refused meanwhile`);
  const open = webhooks.filter((webhook) => webhook.answered !== true && judges(webhook, contents, namespacesOf(plan)) !== false).map(({ name }) => name);
  return open.length === 0 ? say(true, "every admission webhook that it would meet has somebody who answers") : say("unknown", `whether ${someOf(open)} would judge it, and answer, is not known before the restore`);
}

/** Names of the webhooks that would surely refuse what these namespaces hold. */
export const blockedBy = (contents: Contents, namespaces: readonly string[], webhooks: NonNullable<StateSeen["webhooks"]>): readonly string[] =>
  webhooks.filter((webhook) => webhook.answered === false && judges(webhook, contents, namespaces) === true).map(({ name }) => name);

/** Whether pods get addresses and images there, by the cluster's own. */
export function network({ ownPods }: StateSeen): FitAnswer {
  const say = answersOf("network", "network");
  if (ownPods === null) return say("unknown", "the cluster's own pods could not be listed");
  if (ownPods.stuck.length > 0) return say(false, `${ownPods.stuck.length} of ${ownPods.count} pods in kube-system do not come up: ${someOf(ownPods.stuck)}`);
  return ownPods.count === 0 ? say("unknown", "there are no pods in kube-system to tell by") : say(true, `all ${ownPods.count} pods in kube-system came up; how many addresses are left, only warming tells`);
}
