import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fromTypedData, type HttpCookie, type NullableStrings, type TypedData } from "./typed-data.ts";

/** The trigger value of a request, as the host sends it. Values that occur twice are joined with a comma, as there. */
export function requestData(request: IncomingMessage, url: URL, params: Readonly<Record<string, string>>, body: Uint8Array | null): TypedData {
  return {
    http: {
      method: request.method ?? "GET",
      url: url.href,
      nullableHeaders: nullable(headersOf(request)),
      nullableQuery: nullable(Object.fromEntries([...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join(",")]))),
      nullableParams: nullable(params),
      body: body && { bytes: body },
    },
  };
}

/** The headers in lower case, one text each. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")]));
}

/** The caller's W3C trace context, or the beginning of a new trace. */
export function traceContextOf(request: IncomingMessage): { traceParent: string; traceState?: string } {
  const { traceparent, tracestate } = headersOf(request);
  const traceParent = traceparent ?? `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
  return tracestate ? { traceParent, traceState: tracestate } : { traceParent };
}

/** Writes what a handler returned: nothing is 204, an `http` value is itself. */
export function writeAnswer(response: ServerResponse, returnValue: TypedData | undefined): void {
  const http = returnValue?.http;
  if (!http) return void response.writeHead(204).end();
  for (const [name, value] of Object.entries(http.headers ?? {})) response.setHeader(name, value);
  const cookies = (http.cookies ?? []).map(setCookie);
  if (cookies.length > 0) response.appendHeader("set-cookie", cookies);
  const body = fromTypedData(http.body);
  response.statusCode = Number(http.statusCode ?? 200);
  if (Buffer.isBuffer(body)) response.setHeader("content-length", body.length).end(body);
  else response.end();
}

/** One `Set-Cookie` value, in the form that the real host writes: value escaped, path `/` unless another is named. */
export function setCookie(cookie: HttpCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.expires) parts.push(`expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? "/"}`);
  if (cookie.secure?.value) parts.push("secure");
  if (cookie.sameSite && cookie.sameSite !== "none") parts.push(`samesite=${cookie.sameSite === "explicitNone" ? "none" : cookie.sameSite}`);
  if (cookie.httpOnly?.value) parts.push("httponly");
  return parts.join("; ");
}

function nullable(values: Readonly<Record<string, string>>): NullableStrings {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}
