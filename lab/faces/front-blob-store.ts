/** A Velero's hands on its containers: over HTTP to the storage front, with the account's key, uploading as its Azure plugin does. */
import { buffer } from "node:stream/consumers";
import { BlobServiceClient, type ContainerClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey } from "../azurite.ts";
import type { BlobStore, OpenBlobStore, WriteAnswer } from "../world/velero/blob-store.ts";

/** blockSizeInBytes of Velero's Azure plugin, its default. */
const blockBytes = 1024 * 1024;

/**
 * Opens containers at the storage front, `http://127.0.0.1:4321`. A call that takes longer than `timeoutSeconds` of wall time throws: a
 * region that swallows everything would hold a Velero for ever.
 */
export function frontBlobStores(frontUrl: string, timeoutSeconds = 5): OpenBlobStore {
  return ({ url, container }) => {
    const [endpoint = ""] = new URL(url).hostname.split(".");
    const account = endpoint.replace(/-secondary$/, "");
    const credential = new StorageSharedKeyCredential(account, accountKey(account));
    const service = new BlobServiceClient(`${frontUrl}/${endpoint}`, credential, { retryOptions: { maxTries: 1 } });
    return frontBlobStore(service.getContainerClient(container), timeoutSeconds * 1000);
  };
}

function frontBlobStore(container: ContainerClient, timeoutMs: number): BlobStore {
  const deadline = () => AbortSignal.timeout(timeoutMs);
  return {
    async list(prefix) {
      try {
        const names: string[] = [];
        for await (const { name } of container.listBlobsFlat({ prefix, abortSignal: deadline() })) names.push(name);
        return names;
      } catch (error) {
        throw inPluginsWords(error);
      }
    },
    async get(name) {
      try {
        const { readableStreamBody } = await container.getBlobClient(name).download(0, undefined, { abortSignal: deadline() });
        return readableStreamBody === undefined ? new Uint8Array() : await buffer(readableStreamBody);
      } catch (error) {
        if (error instanceof RestError && error.code === "BlobNotFound") return null;
        throw inPluginsWords(error);
      }
    },
    put: (name, bytes) => written(() => putInBlocks(container, name, bytes, deadline())),
    delete: (name) => written(() => container.getBlobClient(name).deleteIfExists({ abortSignal: deadline() })),
  };
}

/** What Velero's plugin makes of a refusal: Azure's library for Go tells status and code, and only then the text. */
function inPluginsWords(error: unknown): unknown {
  if (!(error instanceof RestError) || error.statusCode === undefined) return error;
  return new Error(`RESPONSE ${error.statusCode}: ${error.statusCode} ${error.message.split("\n")[0] ?? ""}\nERROR CODE: ${error.code ?? ""}`, { cause: error });
}

/** A commit of blocks leaves the blob without a Content-MD5. */
async function putInBlocks(container: ContainerClient, name: string, bytes: Uint8Array, abortSignal: AbortSignal): Promise<void> {
  const blob = container.getBlockBlobClient(name);
  const ids: string[] = [];
  for (let from = 0; from < bytes.byteLength; from += blockBytes) {
    const block = bytes.subarray(from, from + blockBytes);
    const id = Buffer.from(String(ids.length).padStart(8, "0")).toString("base64");
    await blob.stageBlock(id, block, block.byteLength, { abortSignal });
    ids.push(id);
  }
  await blob.commitBlockList(ids, { abortSignal, blobHTTPHeaders: { blobContentType: "application/octet-stream" } });
}

async function written(write: () => Promise<unknown>): Promise<WriteAnswer> {
  try {
    await write();
    return "ok";
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    const { statusCode, code = "" } = error;
    if (statusCode !== 403 && statusCode !== 409) throw error;
    return { refused: statusCode, code };
  }
}
