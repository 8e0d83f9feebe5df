/** A stage on which points are proven: a register and manifests that are kept, and what may happen to blobs. */
import { mergeIntoRegister, readRegister } from "../../functions/activities/register.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { openFindings } from "../../shared/domain/findings.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { openStage, type Stage } from "./store.ts";

export const newest = "shop-hourly-20261121055825";
export const others = ["shop-hourly-20261121055818", "shop-hourly-20261121055809"];
export const pack = "kopia/shop/p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147";

/** A stage whose register and manifests are kept, and whose blobs change their ETag when they are written. */
export function proving(topology: "replicated" | "shared" = "replicated") {
  const stage = openStage(undefined, topology);
  const home = memoryHome();
  const etags = new Map<unknown, number>();
  const { backups } = stage.world;
  const list: typeof backups.list = async function* (place, prefix) {
    const container = place.url === placesOf(stage.plan).replica.url ? stage.replica : stage.source;
    for await (const item of backups.list(place, prefix)) {
      // One ETag for each time that something was put under a name.
      const blob = container.get(item.name);
      etags.set(blob, etags.get(blob) ?? etags.size + 1);
      yield { ...item, etag: `"${etags.get(blob)}"` };
    }
  };
  const world = { ...stage.world, backups: { ...backups, list } };
  const proof = { records: openRecords(home, "shop", null), planHash: "plan-1" };
  const verify = async (more: Partial<Parameters<typeof verifyBackups>[3]> = {}) => {
    const found = await verifyBackups(world, stage.plan, await readRegister(home, "shop"), { proof, ...more });
    const { register, changed } = await mergeIntoRegister(home, stage.plan, { ...found.register, look: { at: stage.nowAt, why: null } }, stage.nowAt);
    return { ...found, register, changed, open: openFindings(register.findings).map(({ kind, point }) => `${kind} ${point ?? "plan"}`) };
  };
  const later = async () => {
    stage.nowAt += 900_000;
    stage.lastSyncAt = stage.nowAt - 30_000;
    stage.asked.length = 0;
    return verify();
  };
  return { ...stage, stage, home, world, proof, verify, later };
}

export const put = (stage: Pick<Stage, "source" | "replica">, name: string, change: (bytes: Uint8Array) => Uint8Array, sides: readonly ("source" | "replica")[] = ["replica"]): void => {
  for (const side of sides) {
    const blob = stage[side].get(name);
    if (!blob) throw new Error(`there is no ${name}`);
    stage[side].set(name, { ...blob, bytes: change(blob.bytes) });
  }
};
export const flipped = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
export const again = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
