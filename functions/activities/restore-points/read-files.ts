/** Reads the small files of a backup at the replica. What is damaged is a value; what could not be asked is thrown. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Depth } from "../../../shared/domain/inventory.ts";
import type { Listing } from "../../../shared/domain/replica.ts";
import { readBackup, readPodVolumeBackups, type Reading } from "../../../shared/domain/velero-backup.ts";
import { backupFolder, type BackupFiles, type File, filesOf, readItemOperations, readResourceList, readResults, readVolumeInfo, readVolumeSnapshots } from "../../../shared/domain/velero-backup-files.ts";
import { type Backups, type BlobPlace, BlobUnreadable } from "../../../shared/ports.ts";

const unzip = promisify(gunzip);
const MiB = 1024 * 1024;
/** A resource list of two million objects has some 120 MB, unpacked; the others grow with volumes and errors, and of those there are thousands at most. */
const boundsOf = (file: string) => (file.endsWith("-resource-list.json.gz") ? { packedBytes: 32 * MiB, unpackedBytes: 128 * MiB } : { packedBytes: 16 * MiB, unpackedBytes: 32 * MiB });

export async function readFiles(backups: Backups, place: BlobPlace, backup: string, replica: Listing, depth: Depth): Promise<BackupFiles> {
  const names = filesOf(backup);
  const read = async <T>(file: string, reader: (json: string) => Reading<T>): Promise<File<T>> => {
    const found = replica.blobs.get(file);
    if (!found) return { kind: "absent" };
    const { packedBytes, unpackedBytes } = boundsOf(file);
    if (found.bytes > packedBytes) return { kind: "unreadable", why: `it has ${found.bytes} bytes, more than any such file` };
    const bytes = await bytesOr(backups.read(place, backupFolder(backup) + file, packedBytes));
    if (bytes === null) return { kind: "absent" };
    if (bytes instanceof BlobUnreadable) return { kind: "unreadable", why: bytes.why };
    const json = await textOf(bytes, file.endsWith(".gz"), unpackedBytes);
    return json.kind === "read" ? reader(json.value) : json;
  };
  const deeper = async <T>(file: string, reader: (json: string) => Reading<T>): Promise<File<T>> => (depth === "names" ? { kind: "not-asked" } : read(file, reader));
  const [metadata, volumeInfo, podVolumeBackups, itemOperations, resourceList, results, volumeSnapshots] = await Promise.all([
    read(names.metadata, readBackup),
    deeper(names.volumeInfo, readVolumeInfo),
    deeper(names.podVolumeBackups, readPodVolumeBackups),
    deeper(names.itemOperations, readItemOperations),
    deeper(names.resourceList, readResourceList),
    deeper(names.results, readResults),
    deeper(names.volumeSnapshots, readVolumeSnapshots),
  ]);
  return { metadata, volumeInfo, podVolumeBackups, itemOperations, resourceList, results, volumeSnapshots };
}

/** What the store does not give of one blob is an answer about that blob. */
export async function bytesOr<T>(read: Promise<T>): Promise<T | BlobUnreadable> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof BlobUnreadable) return error;
    throw error;
  }
}

async function textOf(bytes: Uint8Array, packed: boolean, unpackedBytes: number): Promise<Reading<string>> {
  try {
    const plain = packed ? await unzip(bytes, { maxOutputLength: unpackedBytes }) : Buffer.from(bytes);
    return { kind: "read", value: plain.toString("utf8") };
  } catch (error) {
    return { kind: "unreadable", why: `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}` };
  }
}
