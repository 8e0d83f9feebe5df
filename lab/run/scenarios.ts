/** What can happen to the pair, as stories: what is done beforehand, what is lost, and how it must end. */
import type { Outcome } from "../../shared/domain/outcome.ts";
import type { Seeding } from "../seed.ts";

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly plan: "shop" | "demo";
  /** Whether the lab's Velero makes one more backup before the loss. */
  readonly freshBackup: boolean;
  /** Blobs that never arrive at the replica; `{backup}` stands for the name of that backup. */
  readonly heldBack: readonly string[];
  /** Backups beside the schedule's that the plan selects. */
  readonly alsoBackups: readonly string[];
  readonly seeding: Omit<Seeding, "topology">;
  /** Whether a lease agent stands in the primary; the plan declares it, and takes `self-fenced` for enough, and nothing less. */
  readonly agent: boolean;
  readonly loss: { readonly kind: "region" } | { readonly kind: "blip"; readonly seconds: number } | { readonly kind: "namespace"; readonly namespace: string } | { readonly kind: "nothing" };
  readonly ends: Outcome["kind"];
}

const usual = { plan: "shop", freshBackup: true, heldBack: [], alsoBackups: [], seeding: {}, agent: false, loss: { kind: "region" }, ends: "recovered" } as const satisfies Partial<Scenario>;

export const scenarios: readonly Scenario[] = [
  { ...usual, name: "region-lost", about: "West Europe goes dark and stays dark; the alert does the rest" },
  {
    ...usual,
    name: "namespace-lost",
    about: "somebody deletes the namespace disaster-demo; it comes back in place",
    plan: "demo",
    freshBackup: false,
    loss: { kind: "namespace", namespace: "disaster-demo" },
  },
  { ...usual, name: "primary-blip", about: "West Europe is dark for 40 s: nobody fails over", loss: { kind: "blip", seconds: 40 }, ends: "not-failed-over" },
  {
    ...usual,
    name: "backup-incomplete",
    about: "the newest backup has not arrived whole: the next older whole one is restored",
    // The archive is the largest file of a backup, and arrives last.
    heldBack: ["backups/{backup}/{backup}.tar.gz"],
  },
  {
    ...usual,
    name: "data-skipped",
    about: "the newest point was made without the volume's data: it looks whole, and is passed over",
    freshBackup: false,
    alsoBackups: ["shop-no-data"],
  },
  {
    ...usual,
    name: "region-cut-off",
    about: "West Europe is cut off and lives on: its lease agent cannot renew, closes the shop there, and only then is the other region opened",
    freshBackup: false,
    agent: true,
  },
];

export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`there is no scenario ${name}: ${scenarios.map((scenario) => scenario.name).join(", ")}`);
  return found;
}
