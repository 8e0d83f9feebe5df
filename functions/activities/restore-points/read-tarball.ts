/** Reads a backup's archive from end to end while it streams by: what it holds, and whether it is whole. */
import { gatherContents, keyOf, type Stored, storedOf } from "../../../shared/domain/contents.ts";
import type { TarballFound } from "../../../shared/domain/inventory.ts";
import { KeySet } from "../../../shared/domain/key-set.ts";
import { Unlike } from "./tar-entries.ts";
import { unpackTarball } from "./unpack-tarball.ts";

/**
 * No archive of a cluster comes near these; one that does is refused instead of read for ever. An object in etcd has 1.5 MiB at most, etcd itself
 * 8 GiB, and each object is stored twice.
 */
export const tarballBounds = { entryBytes: 16 * 1024 * 1024, objects: 2_000_000, unpackedBytes: 64 * 1024 ** 3 } as const;

type Bounds = { readonly [K in keyof typeof tarballBounds]: number };

/**
 * What is wrong with the archive is a value: cut off, changed (each gzip member carries a CRC of its content), no archive, beyond a bound. What is
 * wrong with the way to it (`chunks` throws) is thrown on. Holds one object at a time, and the keys of all.
 */
export async function readTarball(chunks: AsyncIterable<Uint8Array>, consumerSelectors: readonly string[], bounds: Bounds = tarballBounds): Promise<TarballFound> {
  const gathered = gatherContents(consumerSelectors);
  const keys = new KeySet();
  let formatVersion: string | null = null;
  let [firstAt, lastAt] = [Number.POSITIVE_INFINITY, 0];
  let before: Buffer = Buffer.alloc(0);
  let stranger: string | null = null;
  const { bytes, wrong } = await unpackTarball(chunks, { ...bounds, entries: bounds.objects * copiesMax + 1 }, (name, body, modifiedAt) => {
    // No time is nobody's stamp.
    if (modifiedAt > 0) [firstAt, lastAt] = [Math.min(firstAt, modifiedAt), Math.max(lastAt, modifiedAt)];
    if (name === "metadata/version") formatVersion = body.toString("utf8").trim().slice(0, 20);
    // Velero stores each object twice, one copy after the other.
    if (!name.startsWith("resources/") || body.equals(before)) return;
    before = body;
    const stored = objectIn(body);
    // Read on: if bytes were changed on the way, the packing says so at its end.
    if (stored === null || !isWhere(name, stored)) return void (stranger ??= stored === null ? `${name} in it is no Kubernetes object` : `${name} in it is another object, ${keyOfStored(stored)}`);
    const key = keyOfStored(stored);
    if (!keys.add(key)) return;
    if (keys.size > bounds.objects) throw new Unlike(`it holds more than ${bounds.objects} objects`);
    gathered.add(stored);
  });
  const broken = (why: string): TarballFound => ({ kind: "broken", why });
  if (wrong !== null) return broken(whyBroken(wrong, bytes, keys.size));
  if (stranger !== null) return broken(whyBroken(new Unlike(stranger), bytes, keys.size));
  if (formatVersion === null) return broken("the tarball has no metadata/version: it is no archive of Velero's");
  return { kind: "read", formatVersion, contents: gathered.contents(), keys, written: { firstAt, lastAt } };
}

/** One without its version, one in the preferred version, and with the feature `EnableAPIGroupVersions` one for each other version that is served. */
const copiesMax = 6;

const keyOfStored = ({ apiVersion, kind, namespace, name }: Stored): string => keyOf(`${apiVersion}/${kind}`, namespace === null ? name : `${namespace}/${name}`);

/** Velero lists an archive by its paths and creates what is inside: both must be the same object. */
const isWhere = (path: string, { namespace, name }: Stored): boolean => path.endsWith(namespace === null ? `/cluster/${name}.json` : `/namespaces/${namespace}/${name}.json`);

function objectIn(body: Buffer): Stored | null {
  try {
    return storedOf(JSON.parse(body.toString("utf8")));
  } catch {
    return null;
  }
}

/** zlib's and tar's own words, with what they mean. */
function whyBroken(error: unknown, bytes: number, objects: number): string {
  const message = error instanceof Error ? error.message : String(error);
  const where = `after ${objects} objects, ${bytes} bytes read`;
  if (error instanceof Unlike) return `the tarball is not what Velero writes: ${message} (${where})`;
  if (/unexpected end of (file|data)/i.test(message)) return `the tarball is cut off: ${message} (${where})`;
  return `the tarball is damaged: ${message} (${where})`;
}
