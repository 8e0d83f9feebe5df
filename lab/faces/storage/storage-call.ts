/** Reads what a request to the blob service asks for: which account, which thing, which operation. */
import type http from "node:http";

export interface StorageCall {
  readonly method: string;
  /** `stshopgeo` also for its `-secondary` endpoint. */
  readonly account: string;
  readonly secondary: boolean;
  /** The part of the URL that a client signs. */
  readonly signedPath: string;
  /** The same without the account in front: `/container/blob`, percent-encoded. */
  readonly path: string;
  readonly query: string;
  readonly parameters: URLSearchParams;
  readonly container: string | null;
  readonly blob: string | null;
  /** The host as the client knows it, with scheme; links in answers start with it. */
  readonly origin: string;
}

const secondarySuffix = "-secondary";

/**
 * By host name (`stshopgeo-secondary.blob.core.windows.net`, also as `x-forwarded-host`) or, for clients that use our own address, by
 * the first part of the path.
 */
export function storageCall(request: http.IncomingMessage): StorageCall {
  const forwarded = request.headers["x-forwarded-host"];
  const host = (typeof forwarded === "string" ? forwarded : request.headers.host) ?? "";
  const target = request.url ?? "/";
  const cut = target.indexOf("?");
  const signedPath = cut === -1 ? target : target.slice(0, cut);
  const query = cut === -1 ? "" : target.slice(cut + 1);
  const byHost = /^([a-z0-9]+(?:-secondary)?)\.blob\./.exec(host)?.[1];
  const [, first = "", ...rest] = signedPath.split("/");
  const name = byHost ?? first;
  const path = byHost === undefined ? `/${rest.join("/")}` : signedPath;
  const [, container = "", ...blob] = path.split("/");
  const secondary = name.endsWith(secondarySuffix);
  return {
    method: request.method ?? "GET",
    account: secondary ? name.slice(0, -secondarySuffix.length) : name,
    secondary,
    signedPath,
    path,
    query,
    parameters: new URLSearchParams(query),
    container: container === "" ? null : decodeURIComponent(container),
    blob: blob.length === 0 ? null : decodeURIComponent(blob.join("/")),
    origin: byHost === undefined ? `http://${host}/${name}` : `https://${host}`,
  };
}

/** As faults name it: `stshopweu PUT blob`, `stshopgeo-secondary GET container`. */
export function nameOf({ method, account, secondary, container, blob }: StorageCall): string {
  return `${account}${secondary ? secondarySuffix : ""} ${method} ${blob !== null ? "blob" : container !== null ? "container" : "service"}`;
}

/** What an operation does to the account's content. `unsupported`: the lab does not play it. */
export type Deed =
  | "read"
  /** Changes nothing that a reader of blobs sees: blocks not yet committed, leases, tiers, tags. */
  | "aside"
  | "blob-written"
  | "blob-deleted"
  | "container-created"
  | "container-deleted"
  | "unsupported";

export function deedOf(call: StorageCall, headers: http.IncomingHttpHeaders): Deed {
  if (call.method === "GET" || call.method === "HEAD") return call.parameters.get("comp") === "batch" ? "unsupported" : "read";
  const comp = call.parameters.get("comp");
  if (call.blob !== null) return blobDeed(call.method, comp, headers);
  if (call.container === null || call.parameters.get("restype") !== "container") return "unsupported";
  if (comp !== null) return call.method === "PUT" && ["metadata", "lease", "acl"].includes(comp) ? "aside" : "unsupported";
  if (call.method === "PUT") return "container-created";
  return call.method === "DELETE" ? "container-deleted" : "unsupported";
}

function blobDeed(method: string, comp: string | null, headers: http.IncomingHttpHeaders): Deed {
  if (method === "DELETE") return comp === null ? "blob-deleted" : "unsupported";
  if (method !== "PUT") return "unsupported";
  // A source outside Azurite cannot be reached from it, and it has no append blobs that replicate.
  if (headers["x-ms-copy-source"] !== undefined) return "unsupported";
  switch (comp) {
    case null:
      return headers["x-ms-blob-type"] === "BlockBlob" ? "blob-written" : "unsupported";
    case "blocklist":
    case "metadata":
    case "properties":
      return "blob-written";
    case "block":
    case "lease":
    case "tier":
    case "tags":
    case "snapshot":
      return "aside";
    default:
      return "unsupported";
  }
}
