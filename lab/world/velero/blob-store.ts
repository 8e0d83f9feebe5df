/** What a Velero can do to one container: the lab gives it a client of its storage front, a test a container in memory. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** The store says no, with its own status and error code: `AuthorizationFailure`, `WriteNotAllowed` … */
export interface Refused {
  readonly refused: 403 | 409;
  readonly code: string;
}

export type WriteAnswer = "ok" | Refused;

/** One container. Every method throws when the store cannot be reached or answers with anything else. */
export interface BlobStore {
  /** All names that begin with a prefix, in order. Throws when there is no such container. */
  list(prefix: string): Promise<readonly string[]>;
  /** `null`: no such blob. */
  get(name: string): Promise<Uint8Array | null>;
  /** As Velero uploads: `application/octet-stream`, without an MD5. */
  put(name: string, bytes: Uint8Array): Promise<WriteAnswer>;
  /** Deleting what is not there is done already. */
  delete(name: string): Promise<WriteAnswer>;
}

/** Where a storage location points: `url` is the account's blob endpoint, `https://stshopneu.blob.core.windows.net`. */
export interface BlobPlace {
  readonly url: string;
  readonly container: string;
}

/** The stores that a region's Velero can reach. */
export type OpenBlobStore = (place: BlobPlace) => BlobStore;

export interface MemoryBlobStore extends BlobStore {
  readonly blobs: Map<string, Uint8Array>;
  /** From now on every write gets this answer; `null`: writes are taken again. */
  refuse(answer: Refused | null): void;
}

/** A container in memory, for tests. */
export function memoryBlobStore(blobs: ReadonlyMap<string, Uint8Array> = new Map()): MemoryBlobStore {
  const held = new Map(blobs);
  let refusal: Refused | null = null;
  return {
    blobs: held,
    refuse: (answer) => void (refusal = answer),
    list: (prefix) => Promise.resolve([...held.keys()].filter((name) => name.startsWith(prefix)).sort()),
    get: (name) => Promise.resolve(held.get(name) ?? null),
    put(name, bytes) {
      if (refusal === null) held.set(name, bytes);
      return Promise.resolve(refusal ?? "ok");
    },
    delete(name) {
      if (refusal === null) held.delete(name);
      return Promise.resolve(refusal ?? "ok");
    },
  };
}

/** What a real Velero left behind, by blob name. */
export async function recordedBlobs(): Promise<Map<string, Uint8Array>> {
  const container = path.join(import.meta.dirname, "../../velero-1.18.3/container");
  const files = (await readdir(container, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const read = files.map(async ({ parentPath, name }): Promise<[string, Uint8Array]> => {
    const file = path.join(parentPath, name);
    return [path.relative(container, file).split(path.sep).join("/"), await readFile(file)];
  });
  return new Map(await Promise.all(read));
}
