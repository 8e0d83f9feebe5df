/** The replication check of one backup: both containers are read, and what was found goes into the register. */
import type { Depth, Inventory } from "../../../shared/domain/inventory.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import { type CheckedBy, emptyRegister, inventoryOf, mergeRegisters, registered, type Register } from "../../../shared/domain/register.ts";
import { placesOf } from "../../../shared/domain/replica.ts";
import { type ReplicationVerdict, replicationVerdict } from "../../../shared/domain/replication-verdict.ts";
import { assess, type RestorePoint } from "../../../shared/domain/restore-point.ts";
import { laterWatermark } from "../../../shared/domain/watermark.ts";
import type { World } from "../../../shared/ports.ts";
import { openSource } from "./list-folder.ts";
import { readInventory } from "./read-inventory.ts";
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
  { by = "blob", depth = "readable" }: { readonly by?: CheckedBy; readonly depth?: Depth } = {},
): Promise<BackupChecked> {
  const places = placesOf(plan);
  const source = openSource(world, places, true);
  const [mark, inventory] = await Promise.all([readWatermark(world, plan, source), readInventory(world, backup, { places, plan, depth, register: previous, source })]);
  const watermark = laterWatermark(previous.watermark, mark);
  const checkedAt = world.clock.now();
  const point = assess(inventory, plan, checkedAt, watermark, previous.points[backup]?.proof?.rung ?? null);
  const found = mergeRegisters({ ...registered(point, { checkedAt, by, source: inventory.source }), watermark }, repositoriesSeen([inventory]));
  return { name: backup, verdict: replicationVerdict(inventory), point, register: mergeRegisters(previous, found) };
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
