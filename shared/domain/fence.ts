/** What stops the primary from taking writes, and how sure we are of it. Pure. */
import type { SelfFence } from "./lease.ts";
import type { FenceLevel, Plan } from "./plan.ts";

/** What happened to each thing that was to be stopped in the primary's cluster. `quiet`: no pod of the plan's that could write is left. */
export type Quieted = (
  | { readonly kind: "quiet"; readonly suspended: readonly Suspended[] }
  /** `maybeSuspended`: it was asked to stop something before it fell silent, so there may be something to give back. */
  | { readonly kind: "unreachable"; readonly why: string; readonly maybeSuspended?: true }
  | { readonly kind: "partly"; readonly suspended: readonly Suspended[]; readonly left: readonly string[] }
) & {
  /** A change was asked for and not answered: it may still take place, after all else. */
  readonly unanswered?: true;
};

/** One object that was changed, and how to change it back. */
export interface Suspended {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  /** Merge patch that restores what was there. */
  readonly undo: Readonly<Record<string, unknown>>;
}

/** Whether the primary's public endpoint was seen closed. `backAgain`: its pages were served at that moment, so it took writes until then. */
export type Closed = { readonly kind: "closed"; readonly backAgain?: boolean } | { readonly kind: "open"; readonly why: string };

export type FenceFound =
  | { readonly kind: "level"; readonly level: FenceLevel; readonly about: string }
  | { readonly kind: "none"; readonly about: string };

/** The level that was reached. Only what was seen counts: an unreachable cluster is never `fenced`. `agent`: what is known of the one in there; `null`: nothing was asked of it. */
export function fenceLevel(closed: Closed, quieted: Quieted, suspend: Plan["fence"]["suspend"], agent: SelfFence | null = null): FenceFound {
  if (quieted.kind === "quiet") {
    if (closed.kind === "closed") return { kind: "level", level: "fenced", about: `the primary's cluster answered and its ${suspend.map((what) => names[what]).join(", ")} are stopped; its public endpoint is closed` };
    return { kind: "none", about: `the primary's workloads are stopped, but its public endpoint is not closed: ${closed.why}` };
  }
  if (closed.kind === "open") return { kind: "none", about: `the primary's public endpoint is not closed: ${closed.why}` };
  const inside = quieted.kind === "unreachable" ? `its cluster does not answer: ${quieted.why}` : `not everything in its cluster could be stopped: ${quieted.left.join(", ")}`;
  const about = `the primary's public endpoint is closed; ${inside}${agent === null ? "" : `; ${agent.about}`}`;
  return { kind: "level", level: agent === null || agent.kind === "no" ? "traffic-only" : "self-fenced", about };
}

const names = { workloads: "workloads", velero: "backup schedules", gitops: "GitOps deployments" } as const;

/** Whether the plan takes this level without asking a person. */
export const isEnough = (found: FenceFound, fence: Plan["fence"]): boolean => found.kind === "level" && fence.enough.includes(found.level);
