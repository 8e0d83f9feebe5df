/** The Kopia repositories of a cluster's Velero: one object for each namespace with volumes and each storage location, made at first use. */
import type { BlobStore } from "./blob-store.ts";
import { blobsOf, nowText, type VeleroContext } from "./context.ts";
import { kopiaFolder, newRepositoryBlobs } from "./kopia.ts";
import { type BackupRepository, changeVelero, createVelero, getVelero, labelValue, listVelero, type StorageLocation } from "./objects.ts";

/** What Velero writes into every repository that it has just made. */
const maintenanceFrequency = "1h0m0s";
/** How often, and how long, one waits for a repository to become ready: Velero's poll and its resource timeout. */
const pollMs = 500;
const timeoutMs = 600_000;

/** The location points to other blobs now: all its repositories must be connected again, and until then volumes are not restored. */
export function repointed(context: VeleroContext, { metadata }: StorageLocation): void {
  const { store, session, world } = context;
  for (const { metadata: repository } of listVelero(store, "backuprepositories").filter(({ spec }) => spec.backupStorageLocation === metadata.name)) {
    changeVelero(store, "backuprepositories", repository.name, (draft) => void (draft.status = { ...draft.status, phase: "NotReady", message: "re-establish on BSL change, create or delete" }));
    session.task(`re-establish repository ${repository.name}`, async () => {
      do {
        await session.sleep(world.latencies.veleroValidation);
        await connect(context, repository.name);
      } while (getVelero(store, "backuprepositories", repository.name)?.status?.phase === "NotReady");
    });
  }
}

/** The repository of a namespace in a location, ready for use. Throws an error with Velero's words when it is not. */
export async function ensureRepository(context: VeleroContext, volumeNamespace: string, location: string): Promise<BackupRepository> {
  const { store, session } = context;
  const find = () => listVelero(store, "backuprepositories").find(({ spec }) => spec.volumeNamespace === volumeNamespace && spec.backupStorageLocation === location);
  if (!find()) await create(context, volumeNamespace, location);
  for (let waitedMs = 0; waitedMs <= timeoutMs; waitedMs += pollMs) {
    const found = find();
    if (found?.status?.phase === "Ready") return found;
    if (found?.status?.phase === "NotReady") throw new Error(`backup repository is not ready: ${found.status.message ?? ""}`);
    await session.sleep(pollMs);
  }
  throw new Error("failed to wait BackupRepository, timeout exceeded: backup repository not provisioned");
}

async function create(context: VeleroContext, volumeNamespace: string, location: string): Promise<void> {
  const { store } = context;
  const name = `${volumeNamespace}-${location}-kopia`;
  const labels = { "velero.io/repository-type": "kopia", "velero.io/storage-location": labelValue(location), "velero.io/volume-namespace": labelValue(volumeNamespace) };
  createVelero(store, "backuprepositories", {
    metadata: { name, labels },
    spec: { backupStorageLocation: location, maintenanceFrequency: "0s", repositoryType: "kopia", volumeNamespace },
    status: {},
  });
  changeVelero(store, "backuprepositories", name, (draft) => void (draft.spec.maintenanceFrequency = maintenanceFrequency));
  await connect(context, name);
}

/** Connects to the repository's blobs, making them where the location may be written to; writes down what came of it. */
async function connect(context: VeleroContext, name: string): Promise<void> {
  const { store } = context;
  const repository = getVelero(store, "backuprepositories", name);
  const location = getVelero(store, "backupstoragelocations", repository?.spec.backupStorageLocation ?? "");
  if (!repository || !location) return;
  const problem = await problemOf(location, blobsOf(context, location), repository.spec.volumeNamespace).catch((error: unknown) => {
    if (context.session.isOver()) throw error;
    return `error to connect to backup repo: ${(error as Error).message}`;
  });
  changeVelero(store, "backuprepositories", name, (draft) => {
    const { message: _, ...status } = draft.status ?? {};
    draft.status = problem === null ? { lastMaintenanceTime: nowText(context), ...status, phase: "Ready" } : { ...status, phase: "NotReady", message: problem };
  });
}

async function problemOf(location: StorageLocation, blobs: BlobStore, volumeNamespace: string): Promise<string | null> {
  const folder = kopiaFolder(volumeNamespace);
  if ((await blobs.list(`${folder}kopia.repository`)).length > 0) return null;
  if (location.spec.accessMode === "ReadOnly") return `cannot create new backup repo for read-only backup storage location ${location.metadata.name}`;
  for (const [name, bytes] of newRepositoryBlobs(volumeNamespace)) {
    const answer = await blobs.put(name, bytes);
    if (answer !== "ok") return `error to create backup repo: ${answer.code}`;
  }
  return null;
}
