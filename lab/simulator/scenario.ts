/** What one seed stands for: a loss, a plan, people, and what goes wrong. All of it is data, so that a failing one can be made smaller. */
import type { Phase } from "../../shared/domain/outcome.ts";
import type { Liar } from "./ports/world.ts";
import type { CallFault } from "./network.ts";
import type { Driver, Moment } from "./durable/host.ts";
import type { PlanChoice } from "./plan.ts";
import type { ShelfName } from "./shelves.ts";
import type { CrashMode } from "./strikes.ts";
import type { RestoreTrouble } from "./world/velero.ts";

/** How the primary is lost, if it is. Times are milliseconds after the beginning. */
export type Loss =
  /** All of it, by what its silence looks like; back after `forMs`, or never. */
  | { readonly kind: "region"; readonly at: number; readonly reach: "reset" | "black-hole" | "unavailable"; readonly forMs: number | null }
  /** Nothing is lost: these witnesses say it is. */
  | { readonly kind: "liars"; readonly at: number; readonly liars: readonly Liar[] }
  /** It is we who reach nobody. */
  | { readonly kind: "cut-off"; readonly at: number; readonly forMs: number }
  | { readonly kind: "nothing"; readonly at: number };

/** What people and machines outside do. */
export type Deed =
  | { readonly kind: "alert"; readonly at: number; readonly alertId: string }
  | { readonly kind: "resolved"; readonly at: number; readonly alertId: string }
  | { readonly kind: "start"; readonly at: number; readonly who: string }
  /** Once a question is put, and this much later; `times` in a row. */
  | { readonly kind: "decide"; readonly about: "decision" | "fence" | "loss"; readonly afterMs: number; readonly who: string; readonly verdict: "approve" | "deny"; readonly times: number }
  /** Puts another version of the plan in the first one's place. */
  | { readonly kind: "edit-plan"; readonly at: number }
  /** When so many events of the world's log and of the ledger have happened, or a run has begun a phase, and this much later. */
  | { readonly kind: "abort"; readonly when: number | Phase; readonly afterMs: number; readonly who: string };

/** What goes wrong. Each happens a bounded number of times, so that every run can come to its end. */
export type Trouble =
  | { readonly kind: "call"; readonly port: string; readonly op: string; readonly nth: number; readonly times: number; readonly fault: CallFault }
  | { readonly kind: "crash"; readonly moment: Moment; readonly nth: number; readonly downMs: number }
  /** At a named place: see `strikes.ts`. `call` counts the calls of the step, for the modes that are about one. */
  | { readonly kind: "strike"; readonly step: string; readonly mode: CrashMode; readonly call: number; readonly downMs: number }
  | { readonly kind: "pause"; readonly at: number; readonly host: number; readonly forMs: number }
  | { readonly kind: "agent-pause"; readonly at: number; readonly forMs: number }
  | { readonly kind: "agent-restarts"; readonly at: number }
  | { readonly kind: "again"; readonly nth: number; readonly afterMs: number }
  | { readonly kind: "restore"; readonly nth: number; readonly trouble: RestoreTrouble }
  | { readonly kind: "capacity"; readonly nodes: number }
  /** What was verified in the secondary falls over, so much later. */
  | { readonly kind: "falls"; readonly afterMs: number };

/** The lease agent in the primary, and what a region's loss is to it: it goes down too, it reaches nobody, or home still hears it. */
export interface AgentChoice {
  readonly inside: "dies" | "cut-off" | "hears-home";
}

export interface Scenario {
  readonly seed: number;
  readonly plan: PlanChoice;
  readonly loss: Loss;
  readonly shelf: ShelfName;
  /** Whether the secondary's cluster stands still when the run begins. */
  readonly stopped: boolean;
  readonly hosts: 1 | 2;
  readonly replaysAlways: boolean;
  /** Who plays the runbooks' turns. */
  readonly driver: Driver;
  /** Whether the day before is played with it, or what it leaves behind is laid out: `quiet-day.ts`. */
  readonly quietDay: "played" | "laid";
  readonly deeds: readonly Deed[];
  readonly troubles: readonly Trouble[];
  /** Absent: the plan has none. */
  readonly agent?: AgentChoice;
}
