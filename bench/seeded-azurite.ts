/**
 * An Azurite that has very many blobs at once. It is given a few, ended, and its index of them is multiplied on disk: to upload two hundred
 * thousand would take longer than all that is measured. Only listings are true; the contents are all the same five bytes.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey, type Azurite, startAzurite } from "../lab/azurite.ts";
import { blobAt } from "./velero-container.ts";

export const container = "velero";

interface Record extends Readonly<globalThis.Record<string, unknown>> {
  readonly accountName: string;
  readonly properties: Readonly<globalThis.Record<string, unknown>>;
}
interface Collection {
  name: string;
  data: Record[];
  binaryIndices: { [field: string]: { name: string; dirty: boolean; values: number[] } };
  maxId: number;
}

/** Each account has the same `blobs` blobs in a container `velero`. `location` is an empty folder. */
export async function startSeededAzurite(accounts: readonly string[], blobs: number, location: string): Promise<Azurite> {
  const first = await startAzurite({ accounts, location });
  for (const account of accounts) {
    const client = new BlobServiceClient(`${first.url}/${account}`, new StorageSharedKeyCredential(account, accountKey(account))).getContainerClient(container);
    await client.create();
    await client.getBlockBlobClient("seed").upload("seed\n", 5);
  }
  await first.close();
  const file = path.join(location, "__azurite_db_blob__.json");
  const index = JSON.parse(await readFile(file, "utf8")) as { collections: Collection[] };
  const listed = index.collections.find(({ name }) => name === "$BLOBS_COLLECTION$");
  if (!listed) throw new Error(`Azurite keeps its index otherwise than it did: ${file} has no $BLOBS_COLLECTION$`);
  listed.data = listed.data.flatMap((record) => Array.from({ length: blobs }, (_, at) => copyOf(record, at, blobs))).map((record, at) => ({ ...record, $loki: at + 1 }));
  listed.maxId = listed.data.length;
  for (const [field, each] of Object.entries(listed.binaryIndices)) each.values = inOrderOf(listed.data, field);
  await writeFile(file, JSON.stringify(index));
  return startAzurite({ accounts, location, timeoutSeconds: 120 });
}

/** Positions in the order of a field, as its index has them. */
function inOrderOf(records: readonly Record[], field: string): number[] {
  const values = records.map((record) => String(record[field]));
  return values.map((_, at) => at).sort((a, b) => ((values[a] ?? "") < (values[b] ?? "") ? -1 : (values[a] ?? "") > (values[b] ?? "") ? 1 : a - b));
}

function copyOf(record: Record, at: number, blobs: number): Record {
  const { name, bytes } = blobAt(at, blobs);
  const { contentMD5: _none, ...properties } = record.properties;
  return { ...record, name, properties: { ...properties, contentLength: bytes, etag: `"0x${(at * 31 + 1).toString(16).toUpperCase().padStart(15, "0")}"` } };
}
