/** One fault of the catalogue: how it is shown for a moment and for good, and by what. */
import { base } from "./explore.ts";
import type { CallFault } from "./network.ts";
import type { Deed, Scenario, Trouble } from "./scenario.ts";

/** Where a fault is played: in the simulator; in the lab over HTTP; with real programs; by a test of its own; or nowhere, and then `why` it cannot harm, with the check that says so. */
export type Tier = "simulator" | "lab" | "real" | "test" | "argument";

/** What shows one strength of a fault. */
export type Showing =
  | { readonly kind: "scenario"; readonly scenario: Scenario }
  /** A test by its file and title, as vitest names it; `…` at the end stands for all titles that begin so. */
  | { readonly kind: "check"; readonly file: string; readonly title: string }
  /** There is no such strength of it. */
  | { readonly kind: "not"; readonly why: string };

export interface Fault {
  readonly id: string;
  readonly fault: string;
  readonly tier: Tier;
  readonly transient: Showing;
  readonly permanent: Showing;
  /** Why it cannot harm; for an argument alone. */
  readonly why: string | null;
}

/** What differs from the scenario that recovers. */
export type Laid = Omit<Partial<Scenario>, "plan"> & { readonly plan?: Partial<Scenario["plan"]> };

/** A scenario, or what stands in its place. */
export type Given = Laid | Extract<Showing, { kind: "check" | "not" }>;

const isShowing = (given: Given): given is Extract<Showing, { kind: "check" | "not" }> => "kind" in given;
const shownBy = (given: Given): Showing => (isShowing(given) ? given : { kind: "scenario", scenario: { ...base, ...given, plan: { ...base.plan, ...given.plan } } });

export const check = (file: string, title: string) => ({ kind: "check", file, title }) as const;
export const not = (why: string) => ({ kind: "not", why }) as const;

export const played = (id: string, fault: string, transient: Given, permanent: Given): Fault => ({ id, fault, tier: "simulator", transient: shownBy(transient), permanent: shownBy(permanent), why: null });

type Tested = Extract<Showing, { kind: "check" | "not" }>;
const by = (tier: "lab" | "real" | "test") => (id: string, fault: string, transient: Tested, permanent: Tested): Fault => ({ id, fault, tier, transient, permanent, why: null });
export const [inLab, onReal, inTest] = [by("lab"), by("real"), by("test")];

/** `stands`: the checks that stand for it, the second one where its worse strength has one of its own. */
export const argued = (id: string, fault: string, why: string, stands: Tested, worse: Tested = stands): Fault => ({ id, fault, tier: "argument", transient: stands, permanent: worse, why });

export const alert = (at: number, alertId = "alert-1"): Deed => ({ kind: "alert", at, alertId });
export const says = (who: string, verdict: "approve" | "deny", afterMs = 30_000, times = 1, about: "decision" | "fence" = "decision"): Deed => ({ kind: "decide", about, afterMs, who, verdict, times });
export const call = (port: string, op: string, fault: CallFault, nth: number, times: number): Trouble => ({ kind: "call", port, op, nth, times, fault });
export const lostAnswer: CallFault = { kind: "lost-answer" };
export const refused: CallFault = { kind: "refused" };
export const throttled: CallFault = { kind: "throttled", retryAfterSeconds: 5 };
export const late: CallFault = { kind: "late-effect", delayMs: 40_000 };
/** More calls than a run makes. */
export const always = 1_000_000;
export const minute = 60_000;
export const back = (forMs: number): Laid => ({ loss: { kind: "region", at: minute, reach: "reset", forMs } });
/** A host that dies there, and stays away for so long. */
export const struck = (step: string, mode: Extract<Trouble, { kind: "strike" }>["mode"], downMs: number): Laid => ({ troubles: [{ kind: "strike", step, mode, call: 0, downMs }] });
