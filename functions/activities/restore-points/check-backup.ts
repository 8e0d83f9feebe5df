/** The replication check of one backup: both containers are read, and what was found goes into the register. */
import type { Depth, Inventory } from "../../../shared/domain/inventory.ts";
import { own } from "../../../shared/domain/own.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { type CheckedBy, emptyRegister, inventoryOf, mergeRegisters, registered, type Register } from "../../../shared/domain/register.ts";
import { placesOf } from "../../../shared/domain/replica.ts";
import { type ReplicationVerdict, replicationVerdict } from "../../../shared/domain/replication-verdict.ts";
import { assess, type RestorePoint } from "../../../shared/domain/restore-point.ts";
import { laterWatermark } from "../../../shared/domain/watermark.ts";
import type { World } from "../../../shared/ports.ts";
import { openSource } from "./list-folder.ts";
import { listOne } from "./look-over.ts";
import { openProver } from "./prove.ts";
import { readInventory } from "./read-inventory.ts";
import type { Records } from "./records.ts";
import { readWatermark } from "./read-watermark.ts";

export interface BackupChecked {
  readonly name: string;
  readonly verdict: ReplicationVerdict;
  readonly point: RestorePoint;
  /** The register as it was given, with what was found now. Merging it again into a newer one does no harm. */
  readonly register: Register;
}

/** Safe to run again: it only looks. Throws when the replica cannot be read. */
export async function checkBackup(
  world: Pick<World, "backups" | "replication" | "clock">,
  plan: Plan,
  backup: string,
  previous: Register,
  { by = "blob", depth = "readable", proof }: { readonly by?: CheckedBy; readonly depth?: Depth; readonly proof?: Proving } = {},
): Promise<BackupChecked> {
  const places = placesOf(plan);
  const source = openSource(world, places, true);
  const prover = proof === undefined ? null : openProver(world, { ...proof, places, plan, register: previous, thorough: true });
  const folder = prover === null ? new Map() : await listOne(world, places.replica, backup);
  const reading = prover === null ? world : { ...world, backups: prover.backups };
  // On its way nothing is worth reading through; each look would read the archive anew.
  const first = await readInventory(reading, backup, { places, plan, depth: proof === undefined ? depth : "complete", register: previous, source });
  const verdict = replicationVerdict(first);
  const onItsWay = verdict.kind === "pending" || depth !== "readable";
  const inventory = proof === undefined || onItsWay ? first : await readInventory(reading, backup, { places, plan, depth, register: previous, source });
  // The watermark of replicated storage costs a listing of the whole source: it is worth that once, when the backup has come.
  const watermark = verdict.kind === "pending" ? previous.watermark : laterWatermark(previous.watermark, await readWatermark(world, plan, source));
  const before = own(previous.points, backup);
  const sinceProven = prover === null || onItsWay ? [] : await prover.sinceProven(inventory, folder);
  const checkedAt = world.clock.now();
  const judged = assess(inventory, plan, checkedAt, watermark, before?.proof?.rung ?? null, { extendedUntilAt: before?.extendedUntilAt ?? null, sinceProven });
  const kept = await prover?.keep(inventory, judged, folder);
  const point = kept?.point ?? judged;
  const found = mergeRegisters({ ...registered(point, { checkedAt, by, source: inventory.source, ...kept }), watermark }, repositoriesSeen([inventory]));
  return { name: backup, verdict: onItsWay ? verdict : replicationVerdict(inventory), point, register: mergeRegisters(previous, found) };
}

/** Where manifests are kept, and by which version of the plan is judged. */
export interface Proving {
  readonly records: Records;
  readonly planHash: string;
}

/** What the source was seen to have in the repositories, as a register of its own. */
export function repositoriesSeen(inventories: readonly Inventory[]): Register {
  const repositories = inventories.flatMap((inventory) =>
    Object.entries(inventory.repositories).flatMap(([namespace, { source }]) => {
      const seen = inventoryOf(source);
      return seen === null ? [] : [[namespace, seen] as const];
    }),
  );
  return { ...emptyRegister, repositories: Object.fromEntries(repositories) };
}
