/** The confirmation: several witnesses, read together, who must agree without a break for the soak time. Pure. */
import type { Damage } from "./damage.ts";
import { instantText } from "./instant.ts";
import { clusterSignals, type Plan, type Signal } from "./plan.ts";

export interface Reading {
  readonly signal: Signal["kind"];
  /** `unknown` is a reading of its own: it neither confirms nor clears. */
  readonly says: "down" | "up" | "unknown";
  readonly about: string;
  /** What is broken in a cluster that answers: less than its loss, and said to whoever reads why nobody failed over. */
  readonly damage?: Damage;
}

/** What is carried from one round of readings to the next. */
export interface Soak {
  readonly firstAskedAt: number;
  /** Since when enough signals say `down` without a break; null while they do not. */
  readonly downSinceAt: number | null;
  /** Since when at least one signal says `down` in every round: the earliest instant that we ourselves can name for the loss. */
  readonly firstDownAt: number | null;
  readonly lastAskedAt: number;
  /** Whether a signal that sees what users see said `down` in any round. */
  readonly usersWereDown: boolean;
  /** Since when every signal that sees what users see says `up` without a break. */
  readonly usersUpSinceAt: number | null;
}

export type Verdict =
  /** `since`: when the first signal fell, UTC milliseconds. `agreedSince`: from when on enough of them said `down` in every round; nobody saw the primary take a write after it. */
  | { readonly kind: "lost"; readonly scope: "region" | "cluster"; readonly since: number; readonly agreedSince: number; readonly readings: readonly Reading[] }
  | { readonly kind: "not-lost"; readonly why: string; readonly readings: readonly Reading[] };

export type SoakStep = { readonly kind: "done"; readonly value: Verdict } | { readonly kind: "not-yet"; readonly state: Soak; readonly about: string };

/**
 * One round of readings, judged. `controls` says whether places that have nothing to do with the primary answered: when none did, it
 * is we who are cut off, and whatever the signals say is unknown.
 */
export function soak(state: Soak | null, readings: readonly Reading[], controls: "answer" | "silent", at: number, confirmation: Plan["confirmation"]): SoakStep {
  const seen = controls === "answer" ? readings : readings.map((reading) => ({ ...reading, says: "unknown" as const, about: `none of the control targets answers, so this says nothing: ${reading.about}` }));
  const down = seen.filter(({ says }) => says === "down");
  const agreed = down.length >= confirmation.agree && clusterIsDown(seen);
  const before: Soak = state ?? { firstAskedAt: at, downSinceAt: null, firstDownAt: null, lastAskedAt: at, usersWereDown: false, usersUpSinceAt: null };
  const soakMs = confirmation.soakSeconds * 1_000;
  // Not to have looked for as long as the soak is a break too: nobody saw that it stayed as it was.
  const looked = at - before.lastAskedAt < soakMs;
  const served = seesUsersServed(seen);
  const next: Soak = {
    // Nor is time in which nobody looked a time in which it could have been confirmed: whoever comes back begins anew.
    firstAskedAt: looked ? before.firstAskedAt : at,
    downSinceAt: agreed ? ((looked ? before.downSinceAt : null) ?? at) : null,
    firstDownAt: down.length > 0 ? (before.firstDownAt ?? at) : null,
    lastAskedAt: at,
    usersWereDown: before.usersWereDown || down.some(({ signal }) => userSignals.includes(signal)),
    usersUpSinceAt: served ? ((looked ? before.usersUpSinceAt : null) ?? at) : null,
  };
  const counted = count(seen);

  if (next.downSinceAt !== null && at - next.downSinceAt >= soakMs)
    return { kind: "done", value: { kind: "lost", scope: scopeOf(seen), since: next.firstDownAt ?? next.downSinceAt, agreedSince: next.downSinceAt, readings: seen } };

  // Everybody who could see says it is there: nobody needs to wait for the give-up time.
  const up = seen.filter(({ says }) => says === "up");
  if (up.length === seen.length) return notLost("every signal says the primary is up", seen);

  // It was there, then not, then there again: what users see is back, whatever slower witnesses still say.
  if (before.usersWereDown && served) return notLost(`a blip: the primary answers its users again (${counted})`, seen);

  // Users never noticed what the other witnesses say. The first rounds do not count: what is being lost need not fall silent all at once.
  if (next.usersUpSinceAt !== null && at - next.usersUpSinceAt >= soakMs) return notLost(`the primary has answered its users for ${confirmation.soakSeconds} s (${counted})`, seen);

  if (at - next.firstAskedAt >= confirmation.giveUpSeconds * 1_000)
    return notLost(`not confirmed within ${confirmation.giveUpSeconds} s: ${confirmation.agree} of ${seen.length} signals must say down, ${clusterSignals.join(" or ")} among them, ${counted}`, seen);
  return { kind: "not-yet", state: next, about: counted };
}

/** A node or a zone that failed is told of by name: it is no reason to leave the region, and may be why somebody was called. */
function notLost(why: string, readings: readonly Reading[]): SoakStep {
  const damage = readings.find((reading) => reading.damage !== undefined)?.damage;
  return { kind: "done", value: { kind: "not-lost", why: damage === undefined ? why : `${why}; a ${damage.kind} failed, which is no loss of the cluster: ${damage.about}`, readings } };
}

const count = (readings: readonly Reading[]): string =>
  (["down", "up", "unknown"] as const)
    .map((says) => ({ says, who: readings.filter((reading) => reading.says === says).map(({ signal }) => signal) }))
    .filter(({ who }) => who.length > 0)
    .map(({ says, who }) => `${says}: ${who.join(", ")}`)
    .join("; ");

/** A verdict as whoever has to decide reads it: what is down, who could not see, and what each of them saw. */
export function verdictText(verdict: Verdict): string {
  if (verdict.kind === "not-lost") return `The loss is not confirmed: ${verdict.why}.`;
  const saw = (["down", "up", "unknown"] as const)
    .map((says) => ({ says, who: verdict.readings.filter((reading) => reading.says === says).map(({ signal, about }) => `${signal} (${about})`) }))
    .filter(({ who }) => who.length > 0)
    .map(({ says, who }) => `${says}: ${who.join(", ")}`);
  return [`The primary ${verdict.scope} is lost since ${instantText(verdict.since)}.`, ...saw.map((line) => `${line}.`)].join(" ");
}

/** What is in front of a cluster may break alone. An API server that answers, over nodes that are Ready, is no lost cluster, whatever the others say. */
function clusterIsDown(readings: readonly Reading[]): boolean {
  if (readings.some(({ signal, says }) => signal === "kubernetes-api" && says === "up")) return false;
  return readings.some(({ signal, says }) => says === "down" && clusterSignals.some((known) => known === signal));
}

const userSignals: readonly Signal["kind"][] = ["public-probe", "backend-probe"];

function seesUsersServed(readings: readonly Reading[]): boolean {
  const users = readings.filter(({ signal }) => userSignals.includes(signal));
  return users.length > 0 && users.every(({ says }) => says === "up");
}

/** A cluster is lost when only what lives in it is silent; Resource Health that says "unavailable" speaks for its surroundings. */
function scopeOf(readings: readonly Reading[]): "region" | "cluster" {
  return readings.some(({ signal, says }) => signal === "resource-health" && says === "down") ? "region" : "cluster";
}
