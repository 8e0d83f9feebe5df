import { request as sendRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { InvocationAnswer, InvocationRequest } from "./core-api.ts";
import { headersOf } from "./http-data.ts";

/**
 * One request of an app with HTTP streaming on: the function is invoked with no HTTP value, and the request itself goes to the library's
 * own server, which pairs the two by invocation id; its answer is piped back.
 */
export async function streamThrough(options: {
  readonly httpUri: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly invocation: Omit<InvocationRequest, "data" | "triggerMetadata"> & { readonly invocationId: string };
  readonly invoke: (request: InvocationRequest) => Promise<InvocationAnswer>;
}): Promise<void> {
  const { httpUri, request, response, url, params, invocation, invoke } = options;
  const proxied = sendRequest(new URL(`${url.pathname}${url.search}`, httpUri), {
    method: request.method,
    headers: { ...request.headers, "x-ms-invocation-id": invocation.invocationId, "x-forwarded-host": url.host, "x-forwarded-proto": "http" },
  });
  const piped = new Promise<void>((resolve, reject) => {
    proxied.once("error", reject);
    proxied.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 200, ownHeaders(answer.headers));
      answer.pipe(response).once("finish", resolve).once("error", reject);
    });
  });
  // Awaited below only if the handler answered; a cut connection is no news then.
  piped.catch(() => {});
  request.pipe(proxied);

  const triggerMetadata = {
    Headers: { json: JSON.stringify(headersOf(request)) },
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
  };
  try {
    const { result } = await invoke({ ...invocation, data: { http: {} }, triggerMetadata });
    if (result !== null && result !== undefined) return await piped;
  } catch (error) {
    proxied.destroy();
    throw error;
  }
  proxied.destroy();
  response.writeHead(204).end();
}

/** About the connection to the library rather than the answer; its date is wall time. */
const notItsOwn = new Set(["connection", "keep-alive", "transfer-encoding", "date"]);

function ownHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !notItsOwn.has(name)));
}
