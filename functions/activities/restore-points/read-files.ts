/** Reads the small files of a backup at the replica. What is damaged is a value; what could not be asked is thrown. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Depth } from "../../../shared/domain/inventory.ts";
import type { Listing } from "../../../shared/domain/replica.ts";
import { readBackup, readPodVolumeBackups, type Reading } from "../../../shared/domain/velero-backup.ts";
import { backupFolder, type BackupFiles, type File, filesOf, readItemOperations, readResourceList, readResults, readVolumeInfo } from "../../../shared/domain/velero-backup-files.ts";
import type { Backups, BlobPlace } from "../../../shared/ports.ts";

const unzip = promisify(gunzip);
/** A resource list of a million objects has some 60 MB, unpacked. */
const bounds = { packedBytes: 64 * 1024 * 1024, unpackedBytes: 256 * 1024 * 1024 } as const;

export async function readFiles(backups: Backups, place: BlobPlace, backup: string, replica: Listing, depth: Depth): Promise<BackupFiles> {
  const names = filesOf(backup);
  const read = async <T>(file: string, reader: (json: string) => Reading<T>): Promise<File<T>> => {
    const found = replica.blobs.get(file);
    if (!found) return { kind: "absent" };
    if (found.bytes > bounds.packedBytes) return { kind: "unreadable", why: `it has ${found.bytes} bytes, more than any such file` };
    const bytes = await backups.read(place, backupFolder(backup) + file, bounds.packedBytes);
    if (bytes === null) return { kind: "absent" };
    const json = await textOf(bytes, file.endsWith(".gz"));
    return json.kind === "read" ? reader(json.value) : json;
  };
  const deeper = async <T>(file: string, reader: (json: string) => Reading<T>): Promise<File<T>> => (depth === "names" ? { kind: "not-asked" } : read(file, reader));
  const [metadata, volumeInfo, podVolumeBackups, itemOperations, resourceList, results] = await Promise.all([
    read(names.metadata, readBackup),
    deeper(names.volumeInfo, readVolumeInfo),
    deeper(names.podVolumeBackups, readPodVolumeBackups),
    deeper(names.itemOperations, readItemOperations),
    deeper(names.resourceList, readResourceList),
    deeper(names.results, readResults),
  ]);
  return { metadata, volumeInfo, podVolumeBackups, itemOperations, resourceList, results };
}

async function textOf(bytes: Uint8Array, packed: boolean): Promise<Reading<string>> {
  try {
    const plain = packed ? await unzip(bytes, { maxOutputLength: bounds.unpackedBytes }) : Buffer.from(bytes);
    return { kind: "read", value: plain.toString("utf8") };
  } catch (error) {
    return { kind: "unreadable", why: `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}` };
  }
}
