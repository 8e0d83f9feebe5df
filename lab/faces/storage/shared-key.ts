/**
 * SharedKey, as the storage service defines it for versions from 2015-02-21: used to sign towards Azurite, and to judge clients that
 * come with an account key. Source: "Authorize with Shared Key" of the Azure Storage REST reference.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface Signable {
  readonly method: string;
  /** As sent, percent-encoded, with its first slash. */
  readonly path: string;
  /** As sent, without the question mark; may be empty. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>;
}

/** `key` is in base64, as tools show it. */
export function sharedKeyAuthorization(account: string, key: string, request: Signable): string {
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(stringToSign(account, request), "utf8").digest("base64");
  return `SharedKey ${account}:${signature}`;
}

export function isSignedWith(account: string, key: string, request: Signable, authorization: string): boolean {
  const expected = Buffer.from(sharedKeyAuthorization(account, key, request));
  const given = Buffer.from(authorization);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

const plainHeaders = ["content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"];

function stringToSign(account: string, { method, path, query, headers }: Signable): string {
  const valueOf = (name: string) => {
    const value = headers[name];
    const text = typeof value === "object" ? value.join(",") : String(value ?? "");
    return name === "content-length" && text === "0" ? "" : text;
  };
  const own = Object.keys(headers)
    .filter((name) => name.startsWith("x-ms-") && headers[name] !== undefined)
    .toSorted((a, b) => a.localeCompare(b))
    .map((name) => `${name}:${valueOf(name).trim()}\n`);
  return `${[method, ...plainHeaders.map(valueOf)].join("\n")}\n${own.join("")}/${account}${path}${canonicalQuery(query)}`;
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      return [at === -1 ? pair : pair.slice(0, at), at === -1 ? "" : pair.slice(at + 1)] as const;
    });
  return pairs
    .map(([name, value]) => [name.toLowerCase(), decodeURIComponent(value.replaceAll("+", "%20"))] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\n${name}:${value}`)
    .join("");
}
