import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobDownloadResponseParsed, ContainerClient } from "@azure/storage-blob";
import type { Hosts } from "../../../shared/azure/transport.ts";
import { blobServiceFor, deadlineSeconds } from "../blob-connection.ts";
import { resolveSettings } from "../settings.ts";
import type { TypedData } from "../typed-data.ts";
import { blobPath, type BlobPath } from "./blob-path.ts";
import { openReceipts, type BlobVersion } from "./blob-receipts.ts";
import { bindingText, type RunningTrigger, type TriggerOptions } from "./trigger.ts";

/** The real host's limit before a blob is put aside as poison. */
const triesMax = 5;
/** How many blobs of one function are handled side by side. */
const sideBySideMax = 8;
/** The shortest pause between two looks, wall time: at a high rate the storage would be asked without end. */
const pauseWallMsMin = 100;
/** The real host's name for the queue that poison records go to; here a file of JSON lines. */
const poisonFile = "webjobs-blobtrigger-poison.jsonl";

export interface BlobTriggerOptions extends TriggerOptions {
  readonly hosts: Hosts;
  /** Pause between two looks, lab time. */
  readonly pollMs: number;
}

/**
 * Runs a blob function for each version (ETag) of each blob that its path matches, at least once. A version on which the function
 * failed five times is put aside as a poison record in the state directory.
 */
export async function startBlobTrigger(options: BlobTriggerOptions): Promise<RunningTrigger> {
  const { registered, clock, settings, stateDirectory, log } = options;
  const path = blobPath(resolveSettings(bindingText(registered, "path"), settings, `function "${registered.name}"`));
  const service = await blobServiceFor(bindingText(registered, "connection", "AzureWebJobsStorage"), settings, options.hosts);
  const container = service.getContainerClient(path.container);
  const receipts = await openReceipts(join(stateDirectory, "blobs", `${registered.name}.jsonl`));
  const closing = new AbortController();
  const tell = (level: "information" | "warning" | "error", message: string) => log({ level, category: "system", functionName: registered.name, message });

  /** One look at the whole container, page by page. */
  async function look(): Promise<void> {
    const present = new Set<string>();
    let continuationToken: string | undefined;
    do {
      const page = await listPage(container, path.prefix, continuationToken, closing.signal);
      continuationToken = page.continuationToken;
      const due = page.versions.filter(({ blob }) => path.match(blob));
      for (const { blob } of due) present.add(blob);
      await sideBySide(due.filter((version) => !receipts.isSettled(version)), handle);
    } while (continuationToken);
    await receipts.keepOnly(path.container, present);
  }

  async function handle(version: BlobVersion): Promise<void> {
    if (closing.signal.aborted) return;
    const downloaded = await download(container, version, closing.signal);
    // Replaced or deleted since the listing: the next look knows better.
    if (!downloaded) return;
    try {
      await run(version.blob, downloaded);
    } catch (error) {
      await failed(version, error);
      return;
    }
    await receipts.done(version);
  }

  async function run(blob: string, { bytes, response }: Downloaded): Promise<void> {
    const data: TypedData = registered.trigger.binding.dataType === "string" ? { string: bytes.toString("utf8") } : { bytes };
    const triggerMetadata = metadataOf(path, blob, container.getBlobClient(blob).url, response);
    await options.app.invoke(registered.name, { data, others: options.bindings.inputsFor(registered), triggerMetadata });
  }

  async function failed(version: BlobVersion, error: unknown): Promise<void> {
    const failures = await receipts.failed(version);
    tell("error", `${version.container}/${version.blob}: try ${failures} of ${triesMax} failed: ${String(error)}`);
    if (failures < triesMax) return;
    const record = { FunctionId: `Host.Functions.${registered.name}`, BlobType: "BlockBlob", ContainerName: version.container, BlobName: version.blob, ETag: version.etag };
    await appendFile(join(stateDirectory, poisonFile), `${JSON.stringify(record)}\n`);
    await receipts.done(version);
  }

  let lastProblem = "";
  let cancel = () => {};
  let looking = Promise.resolve();
  const pauseMs = Math.max(options.pollMs, pauseWallMsMin * clock.rate);
  const next = () => {
    if (!closing.signal.aborted) cancel = clock.after(pauseMs, () => void (looking = turn()));
  };
  const turn = async () => {
    try {
      await look();
      if (lastProblem !== "") tell("information", `${path.container} can be read again`);
      lastProblem = "";
    } catch (error) {
      // The same trouble at each look is told once.
      const problem = `${path.container} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      if (problem !== lastProblem && !closing.signal.aborted) tell("warning", problem);
      lastProblem = problem;
    }
    next();
  };
  looking = turn();

  return {
    async fire(input) {
      const blob = input?.startsWith(`${path.container}/`) ? input.slice(path.container.length + 1) : undefined;
      if (!blob || !path.match(blob)) throw new Error(`"${input ?? ""}" is not a path that this trigger watches: ${path.container}/NAME`);
      const downloaded = await download(container, { container: path.container, blob, etag: "*" }, closing.signal);
      if (!downloaded) throw new Error(`there is no blob ${input}`);
      await run(blob, downloaded);
    },
    async close() {
      closing.abort();
      cancel();
      await looking;
    },
  };
}

interface Downloaded {
  readonly bytes: Buffer;
  readonly response: BlobDownloadResponseParsed;
}

/** One page, under a deadline of its own: what the function does between two pages does not count. */
async function listPage(
  container: ContainerClient,
  prefix: string,
  continuationToken: string | undefined,
  closing: AbortSignal,
): Promise<{ readonly versions: readonly BlobVersion[]; readonly continuationToken: string | undefined }> {
  const listing = container.listBlobsFlat({ prefix, abortSignal: bounded(closing) });
  for await (const page of listing.byPage({ maxPageSize: 1_000, ...(continuationToken ? { continuationToken } : {}) })) {
    const versions = page.segment.blobItems.map(({ name, properties }) => ({ container: container.containerName, blob: name, etag: properties.etag }));
    return { versions, continuationToken: page.continuationToken };
  }
  return { versions: [], continuationToken: undefined };
}

function bounded(closing: AbortSignal): AbortSignal {
  return AbortSignal.any([closing, AbortSignal.timeout(deadlineSeconds * 1_000)]);
}

/** One version's content; null when that version is no longer there. */
async function download(container: ContainerClient, { blob, etag }: BlobVersion, closing: AbortSignal): Promise<Downloaded | null> {
  try {
    const response = await container.getBlobClient(blob).download(0, undefined, { conditions: { ifMatch: etag }, abortSignal: bounded(closing) });
    const chunks: Buffer[] = [];
    for await (const chunk of response.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    return { bytes: Buffer.concat(chunks), response };
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404 || statusCode === 412) return null;
    throw error;
  }
}

/** The trigger metadata of the real host; the library makes the keys' first letters small. */
function metadataOf(path: BlobPath, blob: string, uri: string, response: BlobDownloadResponseParsed): Record<string, TypedData> {
  const variables = Object.entries(path.match(blob) ?? {}).map(([name, value]) => [name, { string: value }]);
  const { lastModified, createdOn, etag, contentType, contentLength, blobType, leaseState } = response;
  return {
    BlobTrigger: { string: `${path.container}/${blob}` },
    Uri: { json: JSON.stringify(uri) },
    Properties: {
      json: JSON.stringify({ LastModified: lastModified, CreatedOn: createdOn, ETag: etag, ContentType: contentType, ContentLength: contentLength, BlobType: blobType, LeaseState: leaseState }),
    },
    Metadata: { json: JSON.stringify(response.metadata ?? {}) },
    ...Object.fromEntries(variables),
  };
}

async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(sideBySideMax, items.length) }, worker));
}
