/** Answers of the HTTP doors: JSON, never cached, errors as people need them (RFC 9457, problem details). */
import type { HttpResponseInit } from "@azure/functions";

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

/** Reads a JSON body of at most `bytesMax`. */
export async function readJson(request: { text(): Promise<string> }, bytesMax = 262_144): Promise<{ readonly kind: "json"; readonly value: unknown } | { readonly kind: "unreadable"; readonly why: string }> {
  const text = await request.text();
  if (text.length > bytesMax) return { kind: "unreadable", why: `the body is larger than ${bytesMax} bytes` };
  try {
    return { kind: "json", value: JSON.parse(text) };
  } catch (error) {
    return { kind: "unreadable", why: `the body is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
