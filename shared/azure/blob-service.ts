/** Blob clients by account endpoint, over the common transport. */
import { createHttpHeaders, createPipelineRequest, type HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type IHttpClient, newPipeline, type StorageSharedKeyCredential } from "@azure/storage-blob";
import { frameOf, isAwaited } from "./list-page.ts";

export interface BlobService {
  /** The client of an account's blob endpoint, `https://stshopneu.blob.core.windows.net`. Made once for each. */
  readonly at: (url: string) => BlobServiceClient;
  /** How long each call may take, and each chunk of a stream. */
  readonly deadlineSeconds: number;
}

/** A key opens emulators and locked-down test accounts; everywhere else it is a token. */
export function openBlobService(credential: TokenCredential | StorageSharedKeyCredential, transport: HttpClient, deadlineSeconds: number): BlobService {
  const made = new Map<string, BlobServiceClient>();
  const httpClient = forBlobs(transport);
  // One try: a repeated create would find its own blob and call it someone else's. Whoever called asks again.
  const options = { httpClient, retryOptions: { maxTries: 1 }, userAgentOptions: { userAgentPrefix: "lifeboat" } };
  return {
    deadlineSeconds,
    at(url) {
      const client = made.get(url) ?? new BlobServiceClient(url, newPipeline(credential, options));
      made.set(url, client);
      return client;
    },
  };
}

const ok = new Set([200]);

/** The blob client still takes transports of the generation before; only headers differ in more than their names. */
function forBlobs(transport: HttpClient): IHttpClient {
  return {
    async sendRequest(resource) {
      const { url, method, body, abortSignal, timeout, streamResponseStatusCodes, requestId } = resource;
      const request = createPipelineRequest({
        url,
        method,
        body,
        timeout,
        requestId,
        headers: createHttpHeaders(resource.headers.toJson({ preserveCase: true })),
        // Emulators are plain http, where nothing but their well-known key is sent: the client itself refuses tokens over http.
        allowInsecureConnection: true,
        ...(abortSignal === undefined ? {} : { abortSignal }),
        ...(isAwaited(abortSignal) ? { streamResponseStatusCodes: ok } : streamResponseStatusCodes === undefined ? {} : { streamResponseStatusCodes }),
      });
      const response = await transport.sendRequest(request);
      const headers = resource.headers.clone();
      for (const name of headers.headerNames()) headers.remove(name);
      for (const [name, value] of response.headers) headers.set(name, value);
      const { readableStreamBody, ...rest } = response;
      if (abortSignal === undefined || readableStreamBody === undefined || !isAwaited(abortSignal)) return { ...response, headers, request: resource };
      return { ...rest, headers, request: resource, bodyAsText: await frameOf(abortSignal, readableStreamBody as AsyncIterable<Uint8Array>) };
    },
  };
}
