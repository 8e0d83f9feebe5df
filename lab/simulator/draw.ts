/** Draws the scenario of a seed. Each seed takes a few kinds of trouble only: a run in which everything fails at once is told apart by nothing. */
import type { Driver, Moment } from "./durable/host.ts";
import type { CallFault } from "./network.ts";
import type { PlanChoice } from "./plan.ts";
import type { Liar } from "./ports/world.ts";
import type { Deed, Loss, Scenario, Trouble } from "./scenario.ts";
import { shelves, type ShelfName } from "./shelves.ts";
import { type Random, randomOf } from "./time/random.ts";
import type { RestoreTrouble } from "./world/velero.ts";

const s = 1_000;
const min = 60 * s;
const hour = 60 * min;
const liars: readonly Liar[] = ["public-probe", "backend-probe", "kubernetes-api", "resource-health", "traffic-manager"];
const shelfNames = Object.keys(shelves) as readonly ShelfName[];

export function drawScenario(seed: number, driver: Driver = "bare"): Scenario {
  const random = randomOf(seed).fork("scenario");
  // Of their own sequence: what else a seed stands for does not change with them.
  const objective = randomOf(seed).fork("objective");
  const standing = randomOf(seed).fork("standing");
  const plan = { ...drawPlan(random), ...(objective.chance(0.3) ? { tight: true } : {}), ...(standing.chance(agentShare) ? { agent: true, trafficOnly: standing.chance(0.2) } : {}) };
  const loss = drawLoss(random);
  return {
    seed,
    plan,
    loss,
    shelf: random.chance(0.6) ? "whole" : random.pick(shelfNames),
    stopped: random.chance(0.15),
    hosts: random.chance(0.4) ? 2 : 1,
    replaysAlways: random.chance(0.05),
    driver,
    deeds: [...drawDeeds(random, plan, loss), ...drawAgreeing(objective, plan), ...(plan.agent === true ? drawSecondThoughts(standing) : [])],
    troubles: [...drawTroubles(random), ...(plan.agent === true ? drawAgentTroubles(standing, loss) : [])],
    quietDay: random.chance(0.05) ? "played" : "laid",
    ...(plan.agent === true ? { agent: { inside: standing.pick(["dies", "cut-off", "hears-home"] as const) } } : {}),
  };
}

/** Its turns are many events: a few seeds are enough to meet all that it does. */
const agentShare = 0.08;

/** Somebody stops the run while it waits for the agent, or just after. */
const drawSecondThoughts = (random: Random): readonly Deed[] => (random.chance(0.3) ? [{ kind: "abort", when: "fence", afterMs: random.between(0, 200) * s, who: random.pick(people) }] : []);

/** One of the two at most, and as short as whoever watches over the agent in its cluster lets it stand still: its terms have room for that. */
function drawAgentTroubles(random: Random, { at }: Loss): readonly Trouble[] {
  const when = Math.max(s, at + random.between(-70, 300) * s);
  const drawn = random.next();
  if (drawn < 0.25) return [{ kind: "agent-pause", at: when, forMs: random.between(1, 20) * s }];
  return drawn < 0.5 ? [{ kind: "agent-restarts", at: when }] : [];
}

function drawPlan(random: Random): PlanChoice {
  return { topology: random.chance(0.6) ? "replicated" : "shared", approval: random.chance(0.55) ? "automatic" : random.pick(["veto", "one", "two"] as const), trafficOnly: random.chance(0.75), agree: random.chance(0.25) ? 3 : 5 };
}

function drawLoss(random: Random): Loss {
  const at = random.between(30, 90) * s;
  const drawn = random.next();
  const reach = random.pick(["reset", "reset", "black-hole", "unavailable"] as const);
  if (drawn < 0.62) return { kind: "region", at, reach, forMs: null };
  // Shorter than the soak, or back at some moment of the run.
  if (drawn < 0.7) return { kind: "region", at, reach, forMs: random.between(5, 35) * s };
  if (drawn < 0.86) return { kind: "region", at, reach, forMs: random.between(60, 400) * s };
  if (drawn < 0.92) return { kind: "liars", at, liars: liars.filter(() => random.chance(0.6)).slice(0, liars.length - 1) };
  if (drawn < 0.95) return { kind: "liars", at, liars };
  if (drawn < 0.98) return { kind: "cut-off", at, forMs: random.between(60, 300) * s };
  return { kind: "nothing", at };
}

const people = ["Ada Operator", "Grace Approver", "Linus Approver"] as const;

function drawDeeds(random: Random, { approval, trafficOnly }: PlanChoice, { at }: Loss): readonly Deed[] {
  const deeds: Deed[] = [];
  const byHand = random.chance(0.2);
  if (byHand) for (let time = 0; time < (random.chance(0.2) ? 2 : 1); time++) deeds.push({ kind: "start", at: at + random.between(5, 60) * s + time * 400, who: people[0] });
  if (!byHand || random.chance(0.5)) {
    const alerts = random.chance(0.2) ? random.between(5, 30) : random.between(1, 3);
    for (let nth = 0; nth < alerts; nth++) deeds.push({ kind: "alert", at: at + random.between(0, 90) * s, alertId: random.chance(0.5) ? "alert-1" : `alert-${random.between(1, 6)}` });
    if (random.chance(0.1)) deeds.push({ kind: "alert", at: at + random.between(10, 150) * min, alertId: `alert-${random.between(1, 9)}` });
    if (random.chance(0.1)) deeds.push({ kind: "resolved", at: at + random.between(0, 240) * s, alertId: "alert-1" });
  }
  if (approval !== "automatic") for (const who of people) if (random.chance(0.6)) deeds.push({ kind: "decide", about: "decision", afterMs: random.between(1, 330) * s, who, verdict: random.chance(0.85) ? "approve" : "deny", times: random.chance(0.2) ? 2 : 1 });
  if (!trafficOnly && random.chance(0.7)) deeds.push({ kind: "decide", about: "fence", afterMs: random.chance(0.9) ? random.between(1, 600) * s : random.between(3_590, 3_610) * s, who: random.pick(people), verdict: random.chance(0.85) ? "approve" : "deny", times: 1 });
  if (random.chance(0.25)) {
    // The moments around a point of no return are short, and matter most.
    const phase = random.pick(["fence", "promote", "open", "open", "open"] as const);
    deeds.push({ kind: "abort", when: random.chance(0.5) ? phase : random.between(0, 160), afterMs: random.chance(0.6) ? random.between(0, 600) : random.between(0, 30) * s, who: random.pick(people) });
  }
  if (random.chance(0.05)) deeds.push({ kind: "edit-plan", at: at + random.between(0, 240) * s });
  return deeds;
}

/** People who answer for a loss above the objective, which a plan that decides by itself has nobody for otherwise. */
function drawAgreeing(random: Random, { approval, tight }: PlanChoice): readonly Deed[] {
  if (tight !== true) return [];
  const says = (about: "decision" | "loss"): readonly Deed[] => (random.chance(0.7) ? [{ kind: "decide", about, afterMs: random.between(1, 330) * s, who: random.pick(people), verdict: random.chance(0.85) ? "approve" : "deny", times: random.chance(0.2) ? 2 : 1 }] : []);
  return [...(approval === "automatic" ? says("decision") : []), ...says("loss")];
}

const moments: readonly { readonly moment: Moment; readonly of: number }[] = [
  { moment: "turn-played", of: 260 },
  { moment: "turn-sent", of: 260 },
  { moment: "work-taken", of: 140 },
  { moment: "work-done", of: 140 },
  { moment: "call-sent", of: 700 },
  { moment: "call-answered", of: 700 },
];

/** Calls that change something, which is where a lost answer hurts. */
const acts: readonly (readonly [port: string, op: string])[] = [
  ["arm", "close primary"],
  ["arm", "reopen primary"],
  ["arm", "open secondary"],
  ["arm", "delete policy"],
  ["arm", "start cluster"],
  ["arm", "raise node pool"],
  ["kubernetes", "create"],
  ["kubernetes", "patch"],
  ["kubernetes", "delete"],
  ["home", "create"],
  ["home", "replace"],
  ["home", "put"],
  ["hub", "startNew"],
  ["hub", "raiseEvent"],
];

/** What a whole failover creates in a cluster: restores, a modifier, a location, a schedule, a backup. */
const createsMost = 9;

function drawTroubles(random: Random): readonly Trouble[] {
  if (random.chance(0.12)) return [];
  const kinds = (["calls", "acts", "crash", "pause", "again", "restore", "capacity", "falls"] as const).filter(() => random.chance(0.3));
  return kinds.flatMap((kind): readonly Trouble[] => {
    const some = <T>(most: number, draw: () => T): readonly T[] => Array.from({ length: random.between(1, most) }, draw);
    switch (kind) {
      case "calls":
        return some(4, () => ({ kind: "call", port: random.pick(["*", "arm", "kubernetes", "home", "blobs", "hub"]), op: "*", nth: random.between(0, 350), times: random.chance(0.8) ? 1 : random.between(2, 12), fault: drawFault(random) }));
      case "acts":
        return some(3, () => {
          const [port, op] = random.pick(acts);
          return { kind: "call", port, op, nth: random.between(0, port === "home" ? 40 : op === "create" ? createsMost : 3), times: random.chance(0.85) ? 1 : 3, fault: drawFault(random) };
        });
      case "crash":
        return some(3, () => {
          const { moment, of } = random.pick(moments);
          return { kind: "crash", moment, nth: random.between(0, of), downMs: random.between(1, 240) * s };
        });
      case "pause":
        return some(2, () => ({ kind: "pause", at: random.between(30, 600) * s, host: random.between(0, 1), forMs: random.chance(0.6) ? random.between(20, 600) * s : random.between(1, 4) * hour }));
      case "again":
        return some(6, () => ({ kind: "again", nth: random.between(0, 140), afterMs: random.pick([0, 500, 5 * min, hour]) }));
      case "restore":
        return [{ kind: "restore", nth: random.between(0, 2), trouble: random.pick(["server-restarts", "volume-left-out", "mover-fails", "stuck-new", "partially-failed"] as const satisfies readonly RestoreTrouble[]) }];
      case "falls":
        // A front that stays down is looked at for ten minutes: rare, or most of the time goes there.
        return random.chance(0.2) ? [{ kind: "falls", afterMs: random.between(0, 1_500) }] : [];
      case "capacity":
        return random.chance(0.5) ? [{ kind: "capacity", nodes: random.between(0, 1) }] : [];
    }
  });
}

function drawFault(random: Random): CallFault {
  switch (random.pick(["refused", "lost-answer", "lost-answer", "throttled", "slow", "late-effect"] as const)) {
    case "refused":
      return { kind: "refused" };
    case "lost-answer":
      return { kind: "lost-answer" };
    case "throttled":
      return { kind: "throttled", retryAfterSeconds: random.between(1, 20) };
    case "slow":
      return { kind: "slow", delayMs: random.between(1, 25) * s };
    case "late-effect":
      return { kind: "late-effect", delayMs: random.between(31, 45) * s };
  }
}
