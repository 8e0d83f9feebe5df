/**
 * Watches a run as it happens and notes what is true in the world at each of its events. It asks the world and never the app, so the app
 * cannot talk it into anything; what the app wrote (ledger, report) is held against it afterwards.
 */
import type { Head } from "../../../shared/domain/ledger.ts";
import type { Effect } from "../../world/world.ts";
import { planName } from "../plan.ts";
import type { Sim } from "../run.ts";

/** The world at one event. */
export interface Seen {
  readonly effect: Effect;
  readonly primaryOpen: boolean;
  readonly secondaryOpen: boolean;
  readonly primaryTakesWrites: boolean;
  readonly secondaryTakesWrites: boolean;
  /** Ready pods of the shop in the primary. */
  readonly primaryRuns: number;
  readonly primaryReach: string;
  /** What the secondary's volume holds. */
  readonly volume: string | null;
  readonly secondaryServes: boolean;
  /** The ledger at that instant. */
  readonly head: Head | null;
  /** Whether the open run had written down by then that it means to change something. */
  readonly intended: boolean;
}

export interface Witness {
  readonly seen: readonly Seen[];
  /** Every version of the ledger's head, with its time. */
  readonly heads: readonly { readonly at: number; readonly head: Head }[];
  /** Blobs of the backup stores when the run began. */
  readonly storeBefore: string;
  /** When the primary took its last write before users were moved, as far as it is known by now. */
  lastWriteAt(): number;
}

export function beginWitness(sim: Sim): Witness {
  const { pair, scheduler } = sim;
  const { front, clusters, world } = pair;
  const seen: Seen[] = [];
  const heads: { at: number; head: Head }[] = [];
  const state = { takes: true, lastWriteAt: scheduler.now };
  const storeBefore = storeText(sim);
  /** Epochs of runs that have written an intent down. */
  const intended = new Set<number>();

  sim.pair.world.onEffect((effect) => {
    const { westeurope, northeurope } = clusters;
    const takes = front.takesWrites("primary");
    const head = sim.head();
    if (state.takes && !takes && !front.isOpen("secondary")) state.lastWriteAt = scheduler.now;
    state.takes = takes;
    seen.push({
      effect,
      primaryOpen: front.isOpen("primary"),
      secondaryOpen: front.isOpen("secondary"),
      primaryTakesWrites: takes,
      secondaryTakesWrites: front.takesWrites("secondary"),
      primaryRuns: westeurope.ready("storefront") + westeurope.ready("orders"),
      primaryReach: world.reach("westeurope"),
      volume: northeurope.volume(),
      secondaryServes: front.page("northeurope", "/").body.includes("EUR") && front.page("northeurope", "/orders").status === 200,
      head,
      intended: head?.run != null && intended.has(head.run.epoch),
    });
  });
  pair.home.onWrite((name) => {
    const epoch = intentOf(name);
    if (epoch !== null) intended.add(epoch);
    const head = name.endsWith("/head.json") ? sim.head() : null;
    if (head !== null) heads.push({ at: scheduler.now, head });
  });
  return { seen, heads, storeBefore, lastWriteAt: () => state.lastWriteAt };
}

/** The epoch of the run whose intent this blob is; `null`: it is none. */
function intentOf(name: string): number | null {
  const folder = `ledger/${planName}/`;
  return name.startsWith(folder) && name.endsWith(".intent.json") ? Number(name.slice(folder.length, name.indexOf("/", folder.length))) : null;
}

/** Names and lengths of all blobs that backups are made of, at both ends. */
export function storeText({ pair }: Sim): string {
  const { bytes, replicaStore, topology } = pair;
  const source = topology === "shared" ? "stshopgeo" : "stshopweu";
  const of = (store: string) => bytes.names(store, "velero").filter((name) => !name.startsWith("restores/")).map((name) => `${store}/${name} ${bytes.get({ store, container: "velero", name })?.length}`);
  // The replica may gain what was on its way; it loses nothing, and nothing in it is written over.
  return [...of(source), ...(topology === "replicated" ? of(replicaStore) : [])].join("\n");
}
