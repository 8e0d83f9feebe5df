/** The files of a real cluster's volumes: a folder for each volume, as a disk would keep them. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";

export interface VolumeFile {
  /** Below the volume's root, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lowercase hex. */
  readonly sha256: string;
}

export interface Disks {
  /** The folder of a PersistentVolume, made when it is missing. */
  folder(volume: string): string;
  /** Velero's markers aside, by path. */
  files(volume: string): Promise<readonly VolumeFile[]>;
  read(volume: string, file: string): Promise<Uint8Array | null>;
  write(volume: string, file: string, bytes: Uint8Array): Promise<void>;
  remove(volume: string): Promise<void>;
}

/** Where a restore leaves its mark once a volume's data has arrived. */
export const markerFolder = ".velero";

export function openDisks(directory: string): Disks {
  const folder = (volume: string) => {
    const found = path.join(directory, volume);
    mkdirSync(found, { recursive: true });
    return found;
  };
  const inside = (volume: string, file: string) => {
    const root = folder(volume);
    const found = path.resolve(root, file);
    if (!found.startsWith(root + path.sep)) throw new Error(`${file} is not a file below the root of a volume`);
    return found;
  };
  return {
    folder,
    async files(volume) {
      const root = folder(volume);
      const found: VolumeFile[] = [];
      for (const name of (await readdir(root, { recursive: true })).sort()) {
        const file = path.join(root, name);
        if (name.split(path.sep)[0] === markerFolder) continue;
        const { size, isFile } = await stat(file).then((found) => ({ size: found.size, isFile: found.isFile() }));
        if (isFile) found.push({ path: name.replaceAll(path.sep, "/"), sizeBytes: size, sha256: await digestOf(file) });
      }
      return found;
    },
    async read(volume, file) {
      const found = inside(volume, file);
      return existsSync(found) ? readFile(found) : null;
    },
    async write(volume, file, bytes) {
      const target = inside(volume, file);
      mkdirSync(path.dirname(target), { recursive: true });
      await writeFile(target, bytes);
    },
    remove: (volume) => rm(path.join(directory, volume), { recursive: true, force: true }),
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
