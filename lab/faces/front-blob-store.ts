/** A Velero's hands on its container: over HTTP to the storage front, with the account's key, uploading as its Azure plugin does. */
import { BlobServiceClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey } from "../azurite.ts";

export interface FrontBlobStoreOptions {
  /** The storage front, `http://127.0.0.1:4321`. */
  readonly frontUrl: string;
  /** `stshopneu`, or `stshopgeo-secondary`. */
  readonly endpoint: string;
  readonly container: string;
  /** Until a call is given up, in wall time; default 5. A region that swallows everything would hold a Velero for ever. */
  readonly timeoutSeconds?: number;
}

/** The store's final no to a write: the status and code that it gave. */
export interface PutRefused {
  readonly kind: "refused";
  readonly status: 403 | 409;
  readonly code: string;
  readonly message: string;
}

/** blockSizeInBytes of Velero's Azure plugin, its default. */
const blockBytes = 1024 * 1024;

/** Every method throws when the store does not answer, or not with what was asked for. */
export class FrontBlobStore {
  readonly #container;
  readonly #timeoutMs: number;

  constructor({ frontUrl, endpoint, container, timeoutSeconds = 5 }: FrontBlobStoreOptions) {
    const account = endpoint.replace(/-secondary$/, "");
    const credential = new StorageSharedKeyCredential(account, accountKey(account));
    this.#container = new BlobServiceClient(`${frontUrl}/${endpoint}`, credential, { retryOptions: { maxTries: 1 } }).getContainerClient(container);
    this.#timeoutMs = timeoutSeconds * 1000;
  }

  /** Names under a prefix, in order. */
  async list(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { name } of this.#container.listBlobsFlat({ prefix, abortSignal: this.#deadline() })) names.push(name);
    return names;
  }

  /** `null`: no such blob. */
  async get(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#container.getBlobClient(name).downloadToBuffer(0, undefined, { abortSignal: this.#deadline() });
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return null;
      throw error;
    }
  }

  /** In blocks, so that the blob has no Content-MD5, over whatever is there. */
  async put(name: string, content: Uint8Array): Promise<{ readonly kind: "ok" } | PutRefused> {
    const blob = this.#container.getBlockBlobClient(name);
    const abortSignal = this.#deadline();
    const ids: string[] = [];
    try {
      for (let from = 0; from < content.byteLength; from += blockBytes) {
        const block = content.subarray(from, from + blockBytes);
        const id = Buffer.from(String(ids.length).padStart(8, "0")).toString("base64");
        await blob.stageBlock(id, block, block.byteLength, { abortSignal });
        ids.push(id);
      }
      await blob.commitBlockList(ids, { abortSignal, blobHTTPHeaders: { blobContentType: "application/octet-stream" } });
      return { kind: "ok" };
    } catch (error) {
      const { statusCode: status, code = "", message } = error instanceof RestError ? error : new RestError(String(error));
      if (status === 403 || status === 409) return { kind: "refused", status, code, message: message.split("\n", 1)[0] ?? "" };
      throw error;
    }
  }

  /** Deleting what is not there is done already. */
  async delete(name: string): Promise<void> {
    await this.#container.getBlobClient(name).deleteIfExists({ abortSignal: this.#deadline() });
  }

  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}
