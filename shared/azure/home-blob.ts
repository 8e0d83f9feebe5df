/** Our own account: small blobs changed only under a condition (@azure/storage-blob). */
import { type Home, WorldError } from "../ports.ts";
import { answerOf, azureCall } from "./azure-call.ts";
import { readBlob } from "./blob-read.ts";
import type { BlobService } from "./blob-service.ts";

/** What ports.ts promises of a body. */
const bytesMax = 4 * 1024 * 1024;
const namesMaxDefault = 5000;
const maxPageSize = 5000;

export function openHome(blobService: BlobService, place: { readonly url: string; readonly container: string }): Home {
  const { deadlineSeconds } = blobService;
  const container = () => blobService.at(place.url).getContainerClient(place.container);
  const thingOf = (name: string) => `home/${name}`;

  const write = (operation: string, name: string, body: string, contentType: string, conditions: { readonly ifNoneMatch?: "*"; readonly ifMatch?: string }): Promise<string | null> => {
    const bytes = Buffer.byteLength(body);
    if (bytes > bytesMax) throw new WorldError(operation, thingOf(name), `a body of ${bytes} bytes, and ${bytesMax} are allowed`);
    return azureCall(operation, thingOf(name), deadlineSeconds, async (abortSignal) => {
      try {
        const { etag } = await container().getBlockBlobClient(name).upload(body, bytes, { abortSignal, conditions, blobHTTPHeaders: { blobContentType: contentType } });
        return etag ?? "";
      } catch (error) {
        const answer = answerOf(error);
        if (answer !== null && conditionFailed.test(answer.code)) return null;
        throw error;
      }
    });
  };

  return {
    async read(name) {
      const found = await readBlob(container().getBlobClient(name), thingOf(name), bytesMax, deadlineSeconds);
      return found && { body: Buffer.from(found.bytes).toString("utf8"), etag: found.etag };
    },
    async dated(name) {
      const found = await readBlob(container().getBlobClient(name), thingOf(name), bytesMax, deadlineSeconds);
      if (found === null) return null;
      const { writtenAt, answeredAt } = found;
      if (writtenAt === null || answeredAt === null) throw new WorldError("read blob", thingOf(name), "an answer without its time");
      return { body: Buffer.from(found.bytes).toString("utf8"), etag: found.etag, writtenAt, answeredAt };
    },
    async create(name, body, contentType = contentTypeOf(name)) {
      return (await write("create blob", name, body, contentType, { ifNoneMatch: "*" })) !== null;
    },
    async replace(name, body, ifMatch) {
      return write("replace blob", name, body, contentTypeOf(name), { ifMatch });
    },
    async put(name, body, contentType = contentTypeOf(name)) {
      await write("put blob", name, body, contentType, {});
    },
    async list(prefix, max = namesMaxDefault) {
      const names: string[] = [];
      let continuationToken: string | undefined;
      do {
        const { value: page } = await azureCall("list blobs", thingOf(prefix), deadlineSeconds, (abortSignal) =>
          container()
            .listBlobsFlat({ prefix, abortSignal })
            .byPage({ maxPageSize: Math.min(maxPageSize, max + 1), ...(continuationToken === undefined ? {} : { continuationToken }) })
            .next(),
        );
        for (const { name } of page.segment.blobItems) names.push(name);
        if (names.length > max) throw new WorldError("list blobs", thingOf(prefix), `there are more than ${max}`);
        continuationToken = page.continuationToken || undefined;
      } while (continuationToken !== undefined);
      return names;
    },
  };
}

// 409 BlobAlreadyExists of If-None-Match, 412 ConditionNotMet of If-Match. Other conflicts, a lease for one, are not about our condition.
const conditionFailed = /^(BlobAlreadyExists|ConditionNotMet|TargetConditionNotMet)$/;

/** From the name's ending; a PUT sets the type anew, so a replace must say it too. */
function contentTypeOf(name: string): string {
  switch (/\.([a-z]+)$/.exec(name)?.[1]) {
    case "json":
      return "application/json";
    case "yaml":
      return "application/yaml";
    case "md":
      return "text/markdown; charset=utf-8";
    case "html":
      return "text/html; charset=utf-8";
    default:
      return "text/plain; charset=utf-8";
  }
}
