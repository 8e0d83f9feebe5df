/** Is a storage location usable? Looked at when it is due, and at once when its spec changes. */
import { sameJson } from "../kubernetes/object.ts";
import { blobsOf, nowText, type VeleroContext } from "./context.ts";
import { changeVelero, durationMs, getVelero, listVelero, type StorageLocation } from "./objects.ts";
import { repointed } from "./repositories.ts";

/** The only folders that Velero tolerates at the top of its container (Velero 1.18, persistence/object_store_layout.go). */
const knownFolders: ReadonlySet<string> = new Set(["backups", "restores", "restic", "metadata", "plugins", "kopia"]);
/** The server's default of `validationFrequency`. */
const frequencyMsDefault = 60_000;

export function watchStorageLocations(context: VeleroContext): void {
  const { session, world, store } = context;
  session.follow("backupstoragelocations", ({ type, object, before }) => {
    const location = object as StorageLocation;
    if (type === "DELETED" || (before !== null && sameJson(before["spec"], location.spec))) return;
    if (before !== null && pointsElsewhere(before as StorageLocation, location)) repointed(context, location);
    session.task(`validate storage location ${location.metadata.name}`, () => validate(context, location.metadata.name));
  });
  session.every("validate storage locations", () => world.latencies.veleroValidation, async () => {
    for (const location of listVelero(store, "backupstoragelocations")) if (isDue(location, world.clock.now())) await validate(context, location.metadata.name);
  });
}

/** Whether a change of spec leads to other blobs: of the access mode alone it does not. */
const pointsElsewhere = (before: StorageLocation, now: StorageLocation) => !sameJson([before.spec.objectStorage, before.spec.config], [now.spec.objectStorage, now.spec.config]);

function isDue({ spec, status }: StorageLocation, now: number): boolean {
  const last = Date.parse(status?.lastValidationTime ?? "");
  if (Number.isNaN(last)) return true;
  const frequencyMs = durationMs(spec.validationFrequency ?? "") ?? frequencyMsDefault;
  // Zero: once and never again.
  return frequencyMs > 0 && now >= last + frequencyMs;
}

async function validate(context: VeleroContext, name: string): Promise<void> {
  const location = getVelero(context.store, "backupstoragelocations", name);
  if (!location) return;
  const problem = await problemOf(context, location);
  changeVelero(context.store, "backupstoragelocations", name, (draft) => {
    const { message: _, ...status } = draft.status ?? {};
    draft.status = {
      ...status,
      lastValidationTime: nowText(context),
      ...(problem === null ? { phase: "Available" } : { phase: "Unavailable", message: `BackupStorageLocation "${name}" is unavailable: ${problem}` }),
    };
  });
}

async function problemOf(context: VeleroContext, location: StorageLocation): Promise<string | null> {
  try {
    const names = await blobsOf(context, location).list("");
    const folders = new Set(names.filter((blob) => blob.includes("/")).map((blob) => blob.slice(0, blob.indexOf("/"))));
    const foreign = [...folders].filter((folder) => !knownFolders.has(folder));
    return foreign.length === 0 ? null : `Backup store contains invalid top-level directories: [${foreign.join(" ")}]`;
  } catch (error) {
    if (context.session.isOver()) throw error;
    return `rpc error: code = Unknown desc = ${error instanceof Error ? error.message : String(error)}`;
  }
}
