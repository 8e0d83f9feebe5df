/** One look over the replica's names: which folders there are, and what of each stands under which ETag. Costs one listing and no downloads. */
import { createHash } from "node:crypto";
import type { ListedBlob } from "../../../shared/domain/manifest.ts";
import { own } from "../../../shared/domain/own.ts";
import { maintenanceBlob, type RepositoryManifest, watched } from "../../../shared/domain/repository-manifest.ts";
import { backupFolder, repositoryFolder } from "../../../shared/domain/velero-backup-files.ts";
import { type BlobPlace, type World, WorldError } from "../../../shared/ports.ts";
import { pagesOf } from "./walk-lists.ts";

export type Folder = ReadonlyMap<string, ListedBlob>;

/** A container with more folders than this is not Velero's. */
const foldersMax = 50_000;
/** Velero writes nine blobs into a backup's folder; a folder with more than this is not compared. */
const blobsMax = 500;
const emptyFolder: Folder = new Map();

/** Every folder under `backups/`, with the blobs in it. */
export async function listFolders({ backups }: Pick<World, "backups">, place: BlobPlace): Promise<ReadonlyMap<string, Folder>> {
  const folders = new Map<string, Map<string, ListedBlob>>();
  for await (const page of pagesOf(backups, place, "backups/"))
    for (const { name, ...blob } of page) {
      const [, folder = "", ...rest] = name.split("/");
      if (rest.length === 0) continue;
      const blobs = folders.get(folder) ?? new Map<string, ListedBlob>();
      if (!folders.has(folder) && folders.size >= foldersMax) throw new WorldError("list backups", `${place.url}/${place.container}/backups/`, `there are more than ${foldersMax} folders`);
      folders.set(folder, blobs);
      if (blobs.size < blobsMax) blobs.set(rest.join("/"), listedAs(blob));
    }
  return folders;
}

/** The folder of one backup alone. */
export async function listOne({ backups }: Pick<World, "backups">, place: BlobPlace, backup: string): Promise<Folder> {
  const blobs = new Map<string, ListedBlob>();
  const folder = backupFolder(backup);
  for await (const { name, ...blob } of backups.list(place, folder)) if (blobs.size < blobsMax) blobs.set(name.slice(folder.length), listedAs(blob));
  return blobs;
}

/** The blobs of a repository that a manifest knows or may take up, and no more of them than `max`. */
export async function listRepository({ backups }: Pick<World, "backups">, place: BlobPlace, { namespace, blobs: known }: RepositoryManifest, max: number): Promise<Folder> {
  const blobs = new Map<string, ListedBlob>();
  const folder = repositoryFolder(namespace);
  let fresh = 0;
  for await (const page of pagesOf(backups, place, folder))
    for (const { name, ...blob } of page) {
      const short = name.slice(folder.length);
      // Logs and session markers come and go by the thousand, and no manifest takes them up.
      if (own(known, short) === undefined && ((!watched(short) && short !== maintenanceBlob) || ++fresh > max)) continue;
      blobs.set(short, listedAs(blob));
    }
  return blobs;
}

const listedAs = ({ bytes, etag, lastModifiedAt, archived }: ListedBlob): ListedBlob => ({ bytes, etag, lastModifiedAt, ...(archived === true ? { archived } : {}) });

/** One digest for a folder's names, lengths and ETags: the same as long as nobody has written there, or put something into the archive tier. */
export function shapeOf(folder: Folder = emptyFolder): string {
  const hash = createHash("sha256");
  for (const [name, { bytes, etag, archived }] of [...folder].toSorted(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${name}\n${bytes}\n${etag}\n${archived === true ? "archived\n" : ""}`);
  return hash.digest("hex");
}
