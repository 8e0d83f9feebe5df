/** What was done, how often, and when not any more: S3, S4, S5, S6, S14, S21, S23, S25, S26, L4. */
import { kinds } from "../../../shared/domain/kinds.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";
import { storeText } from "./witness.ts";

/** Acts of the app's own, as the world records them; what Velero or ARM does later because of them is theirs. */
const ownActs = /^(kubernetes\.|traffic\.endpoint-updated|velero\.(restore|backup|schedule)-created)/;

export function onceOnly({ witness, sim }: Evidence): readonly Violation[] {
  const violations: Violation[] = [];
  const seen = new Map<string, number>();
  const ofRun = new Map<string, number>();
  const late = sim.scenario.troubles.reduce((sum, trouble) => sum + (trouble.kind === "call" && trouble.fault.kind === "late-effect" ? trouble.times : 0), 0);
  const runs = new Set(witness.heads.flatMap(({ head }) => head.run?.id ?? [])).size;
  for (const { effect } of witness.seen) {
    const { act, key } = effect;
    const name = act === "traffic.endpoint-updated" ? `${act} ${key} ${(effect.detail as { status?: string }).status}` : `${act} ${key}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    // Three parts are restored, and one first backup made, whatever they are called.
    const made = /^velero\.(restore|backup)-created northeurope\/lifeboat-(shop-\d+)/.exec(name);
    const before = beforeAgain(key);
    if (before !== null && endedBy(sim, before) !== "Failed") violations.push(wrong("S5", effect.at, `${key} is made, and ${before} before it was not given up: it is ${endedBy(sim, before)}`));
    if (made !== null && before === null) {
      const [, what = "", run = ""] = made;
      const parts = (ofRun.get(`${what} ${run}`) ?? 0) + 1;
      ofRun.set(`${what} ${run}`, parts);
      if (parts > (what === "restore" ? 3 : 1)) violations.push(wrong("S5", effect.at, `${run} makes its ${parts}. ${what}: ${key}`));
    }
    // Each run may close the primary and open it again, and again after a closing that came late; nothing else has a reason to happen twice.
    const most = name.startsWith("traffic.endpoint-updated primary") ? runs + late : 1;
    if (/^(velero\.(restore|backup|schedule)-created|storage\.policy-deleted|aks\.|traffic\.|consumer\.acts northeurope)/.test(name) && count > most) violations.push(wrong("S5", effect.at, `${name} for the ${count}. time`));
  }
  return violations;
}

/** Whoever tries again asks for the same by the same name: else what came of the first try would be taken for what the second one wanted. */
export function sameRequest({ sim }: Evidence): readonly Violation[] {
  return Object.values(sim.pair.clusters).flatMap(({ region, asked }) => [...asked].filter(([, requests]) => requests.size > 1).map(([key, requests]) => wrong("S6", sim.scheduler.now, `${region}/${key} was asked for in ${requests.size} ways: ${[...requests].join(" and ")}`)));
}

/** A restore that Velero gave up is made once more, by a name that says which turn it is; `null`: this is a first turn. */
function beforeAgain(key: string): string | null {
  const [, first, turn] = /^northeurope\/([^/]+)-again(\d+)$/.exec(key) ?? [];
  if (first === undefined) return null;
  return turn === "2" ? first : `${first}-again${Number(turn) - 1}`;
}

function endedBy({ pair }: Evidence["sim"], restore: string): string {
  const found = pair.clusters.northeurope.objects.get(kinds.restores, "velero", restore);
  return (found?.["status"] as { readonly phase?: string } | undefined)?.phase ?? "not there";
}

/** One run at a time, and each has an epoch of its own that is the last one's plus one. */
export function epochsGrow({ witness }: Evidence): readonly Violation[] {
  const violations: Violation[] = [];
  let before: (typeof witness.heads)[number]["head"] | null = null;
  for (const { at, head } of witness.heads) {
    if (before !== null && head.epoch < before.epoch) violations.push(wrong("S3", at, `the epoch falls from ${before.epoch} to ${head.epoch}`));
    if (before !== null && head.epoch > before.epoch && (before.run !== null || head.epoch !== before.epoch + 1)) violations.push(wrong("S3", at, `a run of epoch ${head.epoch} is opened over ${before.run?.id ?? `epoch ${before.epoch}`}`));
    if (before?.run && head.run && before.run.id === head.run.id && before.run.planHash !== head.run.planHash) violations.push(wrong("S22", at, "the plan of an open run is another one"));
    before = head;
  }
  return violations;
}

/** After a run has ended nothing more is done for it. */
export function stillAfterEnd({ witness, sim }: Evidence): readonly Violation[] {
  return witness.seen.flatMap(({ effect, head }) => {
    if (!ownActs.test(effect.act) || head === null || head.run !== null || head.last === null) return [];
    const late = lateMs(sim.scenario.troubles);
    return effect.at > head.last.endedAt + late ? [wrong("S26", effect.at, `${effect.act} ${effect.key} ${effect.detail === undefined ? "" : JSON.stringify(effect.detail).slice(0, 80)}, ${Math.round((effect.at - head.last.endedAt) / 1_000)} s after ${head.last.runId} ended`)] : [];
  });
}

/** A run changes nothing in the world before it has written down that it means to. */
export function intendedFirst({ witness }: Evidence): readonly Violation[] {
  return witness.seen.filter(({ effect, head, intended }) => ownActs.test(effect.act) && head?.run != null && !intended).map(({ effect }) => wrong("S23", effect.at, `${effect.act} ${effect.key}, and the ledger holds no intent`));
}

/** What was already on its way when the run ended: no longer than a call may be late. */
const lateMs = (troubles: Evidence["sim"]["scenario"]["troubles"]): number => Math.max(1_000, ...troubles.map((trouble) => (trouble.kind === "call" && (trouble.fault.kind === "late-effect" || trouble.fault.kind === "slow") ? trouble.fault.delayMs + 1_000 : 0)));

/** The backup stores hold what they held: nothing is lost, cut or written over. What was on its way may have come. */
export function storesUntouched({ sim, witness }: Evidence): readonly Violation[] {
  const now = new Set(storeText(sim).split("\n"));
  const lost = witness.storeBefore.split("\n").filter((line) => !now.has(line));
  return lost.length === 0 ? [] : [wrong("S14", sim.scheduler.now, `the backup store has lost or changed ${lost[0]}${lost.length > 1 ? ` and ${lost.length - 1} more` : ""}`)];
}

export const replaysAgree = ({ sim }: Evidence): readonly Violation[] => sim.differences.map((what) => wrong("S21", sim.scheduler.now, what));

/** Events that a generation may have in its history, and what an instance may hold. */
const eventsMax = 500;

export function bounded({ sim }: Evidence): readonly Violation[] {
  const long = [...sim.hub.instances.values()].filter(({ turns }) => turns.reduce((sum, { messages, calls }) => sum + 1 + messages.length + calls.length, 0) > eventsMax);
  return long.map(({ id }) => wrong("S25", sim.scheduler.now, `${id} has more than ${eventsMax} events in one generation`));
}

/** Once somebody was told that the run stops, it goes on to nothing new. */
export function stopsSoon({ witness, told }: Evidence): readonly Violation[] {
  const accepted = told.filter(({ deed, status }) => deed.kind === "abort" && status === 202);
  return accepted.flatMap(({ at, runId }) =>
    witness.seen
      .filter(({ effect, head }) => head?.run?.id === runId && effect.at > at + 60_000 && (effect.act === "velero.restore-created" || (effect.act === "traffic.endpoint-updated" && effect.key === "primary" && (effect.detail as { status?: string }).status === "Disabled")))
      .map(({ effect }) => wrong("L4", effect.at, `${effect.act} ${effect.key}, ${Math.round((effect.at - at) / 1_000)} s after ${runId} was asked to stop`)),
  );
}
