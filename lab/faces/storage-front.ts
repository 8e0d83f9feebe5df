/**
 * All storage accounts of the pair over HTTP: one server in front of Azurite that adds what Azurite lacks. It judges the caller, finds
 * the copy of the account that answers, and lets the bytes stream through; what is true it asks the world.
 */
import type http from "node:http";
import type { Identity } from "../world/identity.ts";
import type { Endpoint, LabStorage } from "../world/storage.ts";
import type { LabWorld } from "../world/world.ts";
import type { Answer } from "./answer.ts";
import { handle } from "./handle.ts";
import { listen, type Listener, type Place } from "./listen.ts";
import type { AzuriteLink } from "./storage/azurite-link.ts";
import { refusedCaller } from "./storage/caller.ts";
import { forward } from "./storage/forward.ts";
import { httpDate } from "./storage/list-page.ts";
import { brokenOff, dateConditions, lockedByReplication, noSuchAccount, notPlayed, notSeen, refusalAnswer, secondaryReadsOnly, statsOnPrimary } from "./storage/refusals.ts";
import { type Deed, deedOf, nameOf, type StorageCall, storageCall } from "./storage/storage-call.ts";

export interface StorageFrontParts {
  readonly world: LabWorld;
  readonly storage: LabStorage;
  readonly link: AzuriteLink;
  readonly identity: Pick<Identity, "check">;
  readonly place?: Place;
}

/**
 * Serves until it is closed. The host is as in Azure, by `x-forwarded-host` or Host; for a client that uses our own address the account
 * is the first part of the path. Faults are named `stshopweu PUT blob`, `stshopgeo-secondary GET container` (a list), `… GET service` (statistics).
 */
export function openStorageFront(parts: StorageFrontParts): Promise<Listener> {
  const { world, storage } = parts;
  return listen(parts.place ?? {}, (request, response) => {
    const call = storageCall(request);
    const endpoint = storage.endpoint(call.account, call.secondary);
    const mutating = call.method !== "GET" && call.method !== "HEAD";
    void handle(world, { call: nameOf(call), thing: [call.container, call.blob].filter((part) => part !== null).join("/"), region: endpoint?.region ?? null, mutating }, request, response, async ({ blind }) => {
      const answer = await answered(parts, call, endpoint, request, blind).catch((error: unknown) => {
        if (request.destroyed && !request.complete) return refusalAnswer(brokenOff);
        throw error;
      });
      return { ...answer, headers: { ...answer.headers, date: httpDate(world.clock.now()) } };
    });
  });
}

async function answered(parts: StorageFrontParts, call: StorageCall, endpoint: Endpoint | null, request: http.IncomingMessage, blind: boolean): Promise<Answer> {
  if (endpoint === null) return refusalAnswer(noSuchAccount(call.account));
  const deed = deedOf(call, request.headers);
  const stranger = await refusedCaller(parts.identity, call, endpoint, deed !== "read", request.headers);
  const no = stranger ?? refusedDeed(parts.storage, call, endpoint, deed, request.headers);
  if (no) return refusalAnswer(no);
  if (call.parameters.get("comp") === "stats") return stats(parts.storage, endpoint, blind);
  // Blind: as behind a network rule. There is something, and nobody is told what.
  if (blind) return refusalAnswer(notSeen);
  return forward(parts, call, endpoint, deed, request);
}

function refusedDeed(storage: LabStorage, call: StorageCall, endpoint: Endpoint, deed: Deed, headers: http.IncomingHttpHeaders) {
  if (endpoint.secondary && deed !== "read") return secondaryReadsOnly;
  if (deed === "unsupported") return notPlayed(`${call.method} ${call.query === "" ? "without parameters" : call.query}`);
  if ((deed === "blob-written" || deed === "aside") && call.blob !== null && storage.isLocked(endpoint, call.container ?? "")) return lockedByReplication;
  if (headers["if-modified-since"] !== undefined || headers["if-unmodified-since"] !== undefined) return dateConditions;
  if (call.parameters.get("comp") === "stats" && !endpoint.secondary) return statsOnPrimary;
  return null;
}

/** Get Blob Service Stats. */
function stats(storage: LabStorage, { account }: Endpoint, blind: boolean): Answer {
  const lastSyncAt = blind ? null : storage.lastSyncAt(account);
  const geo = lastSyncAt === null ? "<Status>unavailable</Status><LastSyncTime></LastSyncTime>" : `<Status>live</Status><LastSyncTime>${httpDate(lastSyncAt)}</LastSyncTime>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body: `<?xml version="1.0" encoding="utf-8"?><StorageServiceStats><GeoReplication>${geo}</GeoReplication></StorageServiceStats>` };
}
