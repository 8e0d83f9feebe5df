/** What the lease agent in the primary has to do, by what lies at home. Where that is not clear, it leaves everything as it is. Pure. */
import type { Head } from "./ledger.ts";
import type { Wish } from "./lease.ts";

/** `open` also gives back what this run had stopped; `null`: only what the agent itself has. `hold`: nothing is closed, nothing opened. */
export type AgentDuty = { readonly kind: "close"; readonly epoch: number } | { readonly kind: "open"; readonly run: string | null } | { readonly kind: "hold"; readonly why: string };

/** As it was read in one renewal. `unreadable`: there is something in its place, and it is none. */
export interface SeenAtHome {
  readonly wish: Wish | null | "unreadable";
  readonly head: Head | "unreadable";
}

/** The latest epochs that an agent has heard of. */
export interface EpochsSeen {
  readonly head: number;
  readonly wish: number;
}

/** What speaks of an earlier epoch than was heard of before was put there by mistake, and is not obeyed; nor is a run that the ledger does not know. */
export function dutyOf({ wish, head }: SeenAtHome, seen: EpochsSeen): AgentDuty {
  if (head === "unreadable") return hold("the ledger of the plan cannot be read");
  if (wish === "unreadable") return hold("what is asked of this agent cannot be read");
  if (head.epoch < seen.head) return hold(`the ledger is at epoch ${head.epoch} and was at ${seen.head}: somebody put an older one back`);
  if ((wish?.epoch ?? 0) < seen.wish) return hold(`${wish?.runId ?? "nobody"} asks, and a later run than that has asked before`);
  if (wish !== null && wish.epoch > head.epoch) return hold(`${wish.runId} asks, and the ledger does not know it`);
  const why = whyClosed(head, wish);
  // A run that is over and was not heard when it took its wish back: what it has left in the ledger says whether that wish still stands.
  if (wish?.kind === "close" && (why !== null || head.run?.epoch === wish.epoch)) return { kind: "close", epoch: wish.epoch };
  return why === null ? { kind: "open", run: wish?.runId ?? null } : hold(why);
}

const hold = (why: string): AgentDuty => ({ kind: "hold", why });

/** What keeps the primary from being opened though nobody asks for it to be closed; `null`: nothing. */
function whyClosed({ active, promotedBy, run }: Head, wish: Wish | null): string | null {
  if (active === "secondary") return "users are served in the other region";
  if (promotedBy !== null) return `${promotedBy} has passed the data point of no return`;
  if (run === null || run.kind !== "failover") return null;
  const { data, traffic } = run.pointsOfNoReturn;
  if (data !== null || traffic !== null) return `${run.id} has passed a point of no return`;
  const fences = run.takenOver?.fenced === true || run.phases.some(({ phase }) => phase === "fence");
  // Between the beginning of that phase and the run's own wish there is a moment without one.
  return fences && wish?.epoch !== run.epoch ? `${run.id} holds the fence` : null;
}
