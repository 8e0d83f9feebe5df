/** The one way to Azurite: signs each request with the key of the store it goes to, and streams both ways. */
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { accountKey } from "../../azurite.ts";
import { sharedKeyAuthorization } from "./shared-key.ts";

export interface AzuriteRequest {
  readonly method: string;
  /** Azurite's name of an account. */
  readonly store: string;
  /** `/container/blob`, percent-encoded; `/` is the account itself. */
  readonly path: string;
  /** Without the question mark. */
  readonly query?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface AzuriteLink {
  /** Resolves with the head of the answer, whatever its status; its body must be read or destroyed. Rejects when Azurite is gone or `signal` fires. */
  send(request: AzuriteRequest): Promise<http.IncomingMessage>;
  close(): void;
}

/** What Azurite is asked in; the newest version it knows, though it was told not to look. */
const serviceVersion = "2025-11-05";

export function azuriteLink(azuriteUrl: string): AzuriteLink {
  const { hostname, port } = new URL(azuriteUrl);
  // Azurite closes idle connections after two minutes (lab/azurite.ts): ours are closed long before, so that no request runs into that.
  const agent = new http.Agent({ keepAlive: true, timeout: 2_000 });

  return {
    close: () => agent.destroy(),
    send: ({ method, store, path, query = "", headers = {}, body, signal }) =>
      new Promise((resolve, reject) => {
        const signed: Record<string, string> = { "x-ms-version": serviceVersion, ...headers, "x-ms-date": new Date().toUTCString() };
        if (body instanceof Uint8Array) signed["content-length"] = String(body.byteLength);
        if (body === undefined && method === "PUT") signed["content-length"] = "0";
        const target = `/${store}${path === "/" ? "" : path}`;
        signed["authorization"] = sharedKeyAuthorization(store, accountKey(store), { method, path: target, query, headers: signed });
        const request = http.request({ hostname, port, agent, method, path: query === "" ? target : `${target}?${query}`, headers: signed, ...(signal === undefined ? {} : { signal }) });
        request.once("response", resolve);
        request.once("error", reject);
        if (body instanceof Readable) pipeline(body, request).catch(reject);
        else request.end(body);
      }),
  };
}
