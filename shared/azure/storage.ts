/** What Velero wrote, read from the accounts themselves (@azure/storage-blob), and the one probe that writes. */
import { type Backups, type BlobItem, type BlobPlace, WorldError } from "../ports.ts";
import { answerOf, azureCall } from "./azure-call.ts";
import { readBlob, streamBlob } from "./blob-read.ts";
import type { BlobService } from "./blob-service.ts";
import { type ListedPage, listPage } from "./list-page.ts";

/** The service's own largest page. */
const maxPageSize = 5000;
const foldersMax = 50_000;
const bytesMaxDefault = 16 * 1024 * 1024;

export function openBackups(blobService: BlobService): Backups {
  const { deadlineSeconds } = blobService;
  const container = ({ url, container }: BlobPlace) => blobService.at(url).getContainerClient(container);
  const thingOf = ({ url, container }: BlobPlace, name: string) => `${url}/${container}/${name}`;

  async function* pages(place: BlobPlace, prefix: string): AsyncGenerator<Iterable<BlobItem>> {
    const pageAfter = (continuationToken: string | null): Promise<ListedPage> => {
      const page = azureCall("list blobs", thingOf(place, prefix), deadlineSeconds, (abortSignal) => listPage(container(place), prefix, continuationToken, abortSignal));
      // Whoever leaves early does not ask for it any more.
      page.catch(() => undefined);
      return page;
    };
    let coming: Promise<ListedPage> | null = pageAfter(null);
    while (coming !== null) {
      const page: ListedPage = await coming;
      // The next one is on its way while this one is looked at.
      coming = page.continuationToken === null ? null : pageAfter(page.continuationToken);
      yield page.items;
    }
  }

  return {
    pages,

    async *list(place, prefix) {
      for await (const page of pages(place, prefix)) yield* page;
    },

    async folders(place, prefix) {
      const found: string[] = [];
      let continuationToken: string | undefined;
      do {
        const { value: page } = await azureCall("list folders", thingOf(place, prefix), deadlineSeconds, (abortSignal) =>
          container(place)
            .listBlobsByHierarchy("/", { prefix, abortSignal })
            .byPage({ maxPageSize, ...(continuationToken === undefined ? {} : { continuationToken }) })
            .next(),
        );
        for (const { name } of page.segment.blobPrefixes ?? []) found.push(name.slice(prefix.length, -1));
        if (found.length > foldersMax) throw new WorldError("list folders", thingOf(place, prefix), `there are more than ${foldersMax}`);
        continuationToken = page.continuationToken || undefined;
      } while (continuationToken !== undefined);
      return found;
    },

    async read(place, name, maxBytes = bytesMaxDefault) {
      const found = await readBlob(container(place).getBlobClient(name), thingOf(place, name), maxBytes, deadlineSeconds);
      return found && found.bytes;
    },

    open: (place, name) => streamBlob(container(place).getBlobClient(name), thingOf(place, name), deadlineSeconds),

    async probeWrite(place, name) {
      const blob = container(place).getBlockBlobClient(name);
      const body = "Lifeboat asks whether this container takes writes.\n";
      const written = await azureCall("probe for writes", thingOf(place, name), deadlineSeconds, (abortSignal) =>
        blob.upload(body, Buffer.byteLength(body), { abortSignal, blobHTTPHeaders: { blobContentType: "text/plain" } }).then(() => null, refusalOf),
      );
      if (written !== null) return written;
      // That the probe may not be deleted (a retention policy, a role without delete) says nothing about writes.
      await azureCall("delete the probe", thingOf(place, name), deadlineSeconds, (abortSignal) => blob.deleteIfExists({ abortSignal }).then(() => null, refusalOf));
      return { kind: "accepted" };
    },
  };
}

type Refusal = Exclude<Awaited<ReturnType<Backups["probeWrite"]>>, { readonly kind: "accepted" }>;

/** A "no" that asking again will not change; everything else is thrown as it came. */
function refusalOf(error: unknown): Refusal | { readonly kind: "locked" | "read-only" } {
  const answer = answerOf(error);
  if (answer === null) throw error;
  const { status, code, message } = answer;
  const refused = { kind: "refused", why: `${status} ${code}: ${message}` } as const;
  switch (status) {
    // The lock of a replica has no code of its own, so it is what remains of 409 when the others are taken away.
    case 409:
      if (passing.test(code)) throw error;
      return /Immutable|Lease|LegalHold|Snapshots|Container|BlobTypes?/i.test(code) ? refused : { kind: "locked" };
    case 403:
      return secondaryRefusals.test(code) || /secondary/i.test(message) ? { kind: "read-only" } : refused;
    case 400:
    case 401:
    case 404:
    case 412:
      return refused;
    default:
      throw error;
  }
}

const passing = /^(ContainerBeingDeleted|AccountBeingCreated|OperationTimedOut)$/;
const secondaryRefusals = /^(WriteOperationNotSupportedOnSecondary|InsufficientAccountPermissions)$/;
