import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hosts } from "../../../shared/azure/transport.ts";
import { blobServiceFor } from "../blob-connection.ts";
import { resolveSettings } from "../settings.ts";
import type { TypedData } from "../typed-data.ts";
import { download, listPage, triggerMetadata, type BlobContent } from "./blob-content.ts";
import { blobPath } from "./blob-path.ts";
import { openReceipts, type BlobVersion } from "./blob-receipts.ts";
import { poll } from "./poll.ts";
import { bindingText, type RunningTrigger, type TriggerOptions } from "./trigger.ts";

/** The real host's limit before a blob is put aside as poison. */
const triesMax = 5;
/** How many blobs of one function are handled side by side. */
const sideBySideMax = 8;
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
  const { registered, settings, stateDirectory, log } = options;
  const path = blobPath(resolveSettings(bindingText(registered, "path"), settings, `function "${registered.name}"`));
  const service = await blobServiceFor(bindingText(registered, "connection", "AzureWebJobsStorage"), settings, options.hosts);
  const container = service.getContainerClient(path.container);
  const receipts = await openReceipts(join(stateDirectory, "blobs", `${registered.name}.jsonl`));

  /** One look at the whole container, page by page. */
  async function look(closing: AbortSignal): Promise<void> {
    const present = new Set<string>();
    let from: string | undefined;
    do {
      const page = await listPage(container, path.prefix, from, closing);
      from = page.next;
      const matching = page.versions.filter(({ blob }) => path.match(blob));
      for (const { blob } of matching) present.add(blob);
      const due = matching.filter((version) => !receipts.isSettled(version));
      await sideBySide(due, (version) => handle(version, closing));
    } while (from);
    await receipts.keepOnly(path.container, present);
  }

  async function handle(version: BlobVersion, closing: AbortSignal): Promise<void> {
    if (closing.aborted) return;
    const content = await download(container, version, closing);
    // Replaced or deleted since the listing: the next look knows better.
    if (!content) return;
    const error = await run(version.blob, content).then(() => null, String);
    if (error === null) await receipts.done(version);
    else await failed(version, error);
  }

  async function run(blob: string, content: BlobContent): Promise<void> {
    const { bytes } = content;
    const data: TypedData = registered.trigger.binding.dataType === "string" ? { string: bytes.toString("utf8") } : { bytes };
    const metadata = triggerMetadata(`${path.container}/${blob}`, container.getBlobClient(blob).url, content, path.match(blob) ?? {});
    await options.app.invoke(registered.name, { data, others: options.bindings.inputsFor(registered), triggerMetadata: metadata });
  }

  async function failed(version: BlobVersion, error: string): Promise<void> {
    const failures = await receipts.failed(version);
    const message = `${version.container}/${version.blob}: try ${failures} of ${triesMax} failed: ${error}`;
    log({ level: "error", category: "system", functionName: registered.name, message });
    if (failures < triesMax) return;
    const record = { FunctionId: `Host.Functions.${registered.name}`, BlobType: "BlockBlob", ContainerName: version.container, BlobName: version.blob, ETag: version.etag };
    await appendFile(join(stateDirectory, poisonFile), `${JSON.stringify(record)}\n`);
    await receipts.done(version);
  }

  const watching = poll({
    clock: options.clock,
    pauseMs: options.pollMs,
    look,
    tell: (level, message) => log({ level, category: "system", functionName: registered.name, message: `container ${path.container}: ${message}` }),
  });
  return {
    async fire(input) {
      const blob = input?.startsWith(`${path.container}/`) ? input.slice(path.container.length + 1) : undefined;
      if (!blob || !path.match(blob)) throw new Error(`"${input ?? ""}" is not a path that this trigger watches: ${path.container}/NAME`);
      const content = await download(container, { container: path.container, blob, etag: "*" }, watching.closing);
      if (!content) throw new Error(`there is no blob ${input}`);
      await run(blob, content);
    },
    close: () => watching.close(),
  };
}

/** Works on all of them, whatever fails, and then fails with the first failure. */
async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const item of queue) await work(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(sideBySideMax, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
