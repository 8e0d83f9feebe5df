/** One renewal: what lies at home is read, then the lease is written. Both or nothing: who cannot be told to close may not go on. */
import { createHash } from "node:crypto";
import type { SeenAtHome } from "../shared/domain/agent-duty.ts";
import { headName, newHead } from "../shared/domain/ledger.ts";
import { readHead } from "../shared/domain/ledger-read.ts";
import { type Lease, leaseName, readWish, wishName } from "../shared/domain/lease.ts";
import type { Plan } from "../shared/domain/plan.ts";
import type { AgentTerms } from "../shared/domain/plan-agent.ts";
import { sameId } from "../shared/domain/plan-fields.ts";
import { readPlan } from "../shared/domain/plan-file.ts";
import { planName } from "../shared/domain/plan-name.ts";
import type { Stored } from "../shared/ports.ts";
import type { AgentParts } from "./parts.ts";

export type Renewed =
  /** `planUnreadable`: the plan at home cannot be read, and the one that was read last goes on. */
  | ({ readonly kind: "renewed"; readonly text: string; readonly terms: AgentTerms; readonly planUnreadable: string | null } & SeenAtHome)
  /** Home answers, and there is nothing for this agent to do. */
  | { readonly kind: "idle"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

export interface Renewing extends AgentParts {
  readonly state: Lease["state"];
  /** The plan as it was read last. */
  readonly known: { readonly plan: Plan; readonly terms: AgentTerms; readonly text: string } | null;
}

/** How long the agent's own cluster may take to say that it is there, seconds. */
const readySeconds = 3;

/** Throws what home throws. */
export async function renew(renewing: Renewing): Promise<Renewed> {
  const { home, cluster, plan: name, id, state } = renewing;
  const [text, wish, head, ready] = await Promise.all([home.read(planName(name)), home.read(wishName(name)), home.read(headName(name)), cluster.ready(readySeconds)]);
  const judged = planNow(text, renewing);
  if (judged.kind === "idle") return judged;
  const { terms } = judged;
  const lease: Lease = { format: 1, plan: name, agent: id, leaseSeconds: terms.leaseSeconds, clusterSilent: ready.kind === "no-answer" ? ready.why : null, state };
  await home.put(leaseName(name), JSON.stringify(lease));
  return { ...judged, wish: wish === null ? null : (readWish(wish.body, name) ?? "unreadable"), head: headIn(head, name) };
}

function headIn(stored: Stored | null, plan: string): SeenAtHome["head"] {
  if (stored === null) return newHead(plan);
  const read = readHead(stored.body, plan);
  return read.kind === "head" ? read.head : "unreadable";
}

type PlanNow = Extract<Renewed, { kind: "idle" }> | { readonly kind: "renewed"; readonly text: string; readonly terms: AgentTerms; readonly planUnreadable: string | null };

/** A plan that this version cannot read must not end the lease: the one that was read last goes on. */
function planNow(stored: Stored | null, { plan: name, clusterId, known }: Renewing): PlanNow {
  if (stored === null) return { kind: "idle", why: `there is no plan ${name} at home` };
  if (known !== null && known.text === stored.body) return { kind: "renewed", text: known.text, terms: known.terms, planUnreadable: null };
  const read = readPlanText(stored.body);
  if (read.kind === "unreadable") return known === null ? { kind: "idle", why: `the plan cannot be read: ${read.why}` } : { kind: "renewed", text: known.text, terms: known.terms, planUnreadable: read.why };
  const idle = idleBecause(read.plan, name, clusterId);
  const { agent } = read.plan.fence;
  if (idle !== null || agent === undefined) return { kind: "idle", why: idle ?? "the plan declares no agent (`fence.agent`)" };
  return { kind: "renewed", text: stored.body, terms: agent, planUnreadable: null };
}

/** A plan's text as this version reads it. */
export function readPlanText(text: string): { readonly kind: "plan"; readonly plan: Plan } | { readonly kind: "unreadable"; readonly why: string } {
  const read = readPlan(text, (bytes) => createHash("sha256").update(bytes).digest("hex"));
  return read.kind === "plan" ? read : { kind: "unreadable", why: read.problems.map(({ path, problem }) => `${path} ${problem}`.trim()).join("; ") };
}

/** Why an agent has nothing to do with this plan where it stands; `null`: it has. */
export function idleBecause(plan: Plan, name: string, clusterId: string): string | null {
  if (plan.plan !== name) return `what lies in the place of plan ${name} is plan ${plan.plan}`;
  return sameId(plan.primary.cluster, clusterId) ? null : `the primary of plan ${name} is ${plan.primary.cluster}, and this is ${clusterId}`;
}
