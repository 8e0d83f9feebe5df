/** Answers of the HTTP doors: JSON, never cached, errors as people need them (RFC 9457, problem details). */
import { LedgerBroken } from "./ledger.ts";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";

export const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponseInit => ({
  status,
  headers: { "cache-control": "no-store", ...headers },
  jsonBody: body,
});

export const problem = (status: number, title: string, detail: string, more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}): HttpResponseInit => ({
  status,
  headers: { "cache-control": "no-store", "content-type": "application/problem+json", ...headers },
  body: JSON.stringify({ title, status, detail, ...more }),
});

/**
 * A door that never answers 500: what stops it is our own account or the host, and both may be back in a moment. 503 with Retry-After
 * says so to people and programs alike; the reason goes to the log.
 */
export const door =
  <Rest extends unknown[]>(handler: (request: HttpRequest, ...rest: Rest) => Promise<HttpResponseInit>) =>
  async (request: HttpRequest, ...rest: Rest): Promise<HttpResponseInit> => {
    try {
      return await handler(request, ...rest);
    } catch (error) {
      const context = rest.at(-1) as InvocationContext; // the last argument of every handler
      context.error("door.failed", { function: context.functionName, why: error instanceof Error ? error.message : String(error) });
      return notNow(error);
    }
  };

/** The answer when our own account cannot be read or written, or holds a ledger that somebody changed. */
export const notNow = (error: unknown = null): HttpResponseInit =>
  error instanceof LedgerBroken ? problem(503, "the ledger cannot be believed", error.message, {}, { "retry-after": "60" }) : problem(503, "not now", "the ledger could not be reached: nothing is lost, send it again", {}, { "retry-after": "5" });

export type JsonBody = { readonly kind: "json"; readonly value: unknown } | { readonly kind: "unreadable"; readonly response: HttpResponseInit };

/** No alert and no request of a person comes near this: an Azure Monitor alert is at most 64 KiB. */
const bodyBytesMax = 262_144;

/** Reads a JSON body, or answers why not: 413 where it is too large, 400 where it is not JSON. */
export async function readJson(request: { text(): Promise<string> }): Promise<JsonBody> {
  const text = await request.text();
  if (Buffer.byteLength(text) > bodyBytesMax) return { kind: "unreadable", response: problem(413, "too large", `the body is larger than ${bodyBytesMax} bytes`) };
  try {
    return { kind: "json", value: JSON.parse(text) };
  } catch (error) {
    return { kind: "unreadable", response: problem(400, "not readable", `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`) };
  }
}
