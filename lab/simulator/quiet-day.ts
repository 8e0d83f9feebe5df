/**
 * The day before the loss: the app's own verification of all backups, and the addresses it learns. No trouble strikes on it, so what it
 * leaves behind at home and in the secondary's cluster depends on the store alone: most seeds are laid out with it, the others play it.
 */
import { type PlanChoice, planName, planText } from "./plan.ts";
import { openSim, quietMs } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { ShelfName } from "./shelves.ts";
import { play } from "./time/virtual.ts";
import type { Topology } from "./world/pair.ts";
import { hashOf, type QuietDay, viewed } from "./world/quiet-day.ts";

const planFile = `plans/${planName}.yaml`;
const known = new Map<string, Promise<QuietDay>>();

/** What the quiet day leaves behind where the store is so. Played once in a process for each kind of store, always from the same seed. */
export function quietDayOf({ plan: { topology }, shelf, stopped }: Pick<Scenario, "plan" | "shelf" | "stopped">): Promise<QuietDay> {
  const key = `${topology}/${shelf}/${stopped}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const played = playQuietDay(topology, shelf, stopped);
  known.set(key, played);
  return played;
}

const plainPlan: Omit<PlanChoice, "topology"> = { approval: "automatic", agree: 5, trafficOnly: true };

async function playQuietDay(topology: Topology, shelf: ShelfName, stopped: boolean): Promise<QuietDay> {
  const plan: PlanChoice = { ...plainPlan, topology };
  const sim = await openSim({ seed: 1, plan, loss: { kind: "nothing", at: 0 }, shelf, stopped, hosts: 1, replaysAlways: false, driver: "bare", quietDay: "played", deeds: [], troubles: [] }, null);
  const { scheduler, hosts, pair } = sim;
  const endsAt = scheduler.now + quietMs;
  for (const host of hosts) host.tick("verification-due", sim.clientOf(host));
  await sim.go(() => scheduler.now >= endsAt, endsAt);
  play(null);
  const open = [...sim.hub.instances.values()].find(({ status }) => status !== "Completed");
  if (open) throw new Error(`the quiet day is over and ${open.id} is ${open.status}`);
  const { objects } = pair.clusters.northeurope;
  return {
    planHash: hashOf(planText(plan).plan),
    laidFor: new Map(),
    blobs: [...pair.home.blobs].flatMap(([name, { body }]) => (name === planFile ? [] : [[name, body] as const])),
    view: viewed.flatMap((kind) => objects.list(kind, "velero") ?? []),
  };
}
