/**
 * Keeps one container as another one is. Clusters elsewhere cannot reach the lab's storage on this machine's loopback, and the lab's
 * replication happens nowhere else: so Velero writes to a container that it reaches, and what it wrote is carried over, and back.
 */
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { type ContainerClient, RestError } from "@azure/storage-blob";

export interface MirrorOptions {
  readonly from: ContainerClient;
  readonly to: ContainerClient;
  /** By name; default all. */
  readonly takes?: (name: string) => boolean;
  /** Told once of each reason for which a look failed. It is tried again all the same. */
  readonly onTrouble: (why: string) => void;
  /** How long one blob may take: one that stands still would hold up all others. */
  readonly blobMsMax?: number;
}

export interface Mirror {
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

const everyMs = 500;
/** Blobs carried at once, and bytes of each that are held in memory. */
const placesMax = 4;
const blockBytes = 4 * 1024 * 1024;

/** Carries what is new or changed, in the order in which it was written, and takes away what is gone. */
export function startMirror({ from, to, takes = () => true, onTrouble, blobMsMax = 120_000 }: MirrorOptions): Mirror {
  const carried = new Map<string, string>();
  const closing = new AbortController();
  const { signal } = closing;
  const told = new Set<string>();

  const look = async () => {
    const now = new Map<string, { readonly etag: string; readonly at: number }>();
    for await (const { name, properties } of from.listBlobsFlat({ abortSignal: signal })) if (takes(name)) now.set(name, { etag: properties.etag, at: properties.lastModified.getTime() });
    const changed = [...now].filter(([name, { etag }]) => carried.get(name) !== etag).toSorted(([, a], [, b]) => a.at - b.at);
    for (let at = 0; at < changed.length; at += placesMax) {
      await Promise.all(
        changed.slice(at, at + placesMax).map(async ([name, { etag }]) => {
          if (await carry({ from, to, blobMsMax }, name, signal)) carried.set(name, etag);
        }),
      );
    }
    for (const name of [...carried.keys()].filter((name) => !now.has(name))) {
      await to.getBlobClient(name).deleteIfExists({ abortSignal: signal });
      carried.delete(name);
    }
  };
  const run = async () => {
    while (!signal.aborted) {
      await look().catch((error: unknown) => {
        const why = reasonOf(error);
        if (signal.aborted || told.has(why)) return;
        told.add(why);
        onTrouble(why);
      });
      await wait(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** `false`: it is gone meanwhile. In blocks, as Velero's plugin uploads, so that the copy has no Content-MD5 either. */
async function carry({ from, to, blobMsMax }: Required<Pick<MirrorOptions, "from" | "to" | "blobMsMax">>, name: string, signal: AbortSignal): Promise<boolean> {
  const late = AbortSignal.timeout(blobMsMax);
  const abortSignal = AbortSignal.any([signal, late]);
  try {
    const { readableStreamBody } = await from.getBlobClient(name).download(0, undefined, { abortSignal });
    if (readableStreamBody === undefined) return false;
    await to.getBlockBlobClient(name).uploadStream(readableStreamBody as Readable, blockBytes, 1, { abortSignal, blobHTTPHeaders: { blobContentType: "application/octet-stream" } });
    return true;
  } catch (error) {
    if (error instanceof RestError && error.code === "BlobNotFound") return false;
    if (late.aborted) throw new Error(`${name} was not over within ${blobMsMax / 1_000} s`, { cause: error });
    throw error;
  }
}

const reasonOf = (error: unknown): string => (error instanceof RestError ? (error.code ?? `status ${error.statusCode}`) : error instanceof Error ? error.message : String(error));
