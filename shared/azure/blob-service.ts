/** Blob clients by account endpoint, over the common transport. */
import { createHttpHeaders, createPipelineRequest, type HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type IHttpClient, newPipeline, type StorageSharedKeyCredential } from "@azure/storage-blob";

/** The client of an account's blob endpoint, `https://stshopneu.blob.core.windows.net`. Made once for each. */
export type BlobService = (url: string) => BlobServiceClient;

/** A key opens emulators and locked-down test accounts; everywhere else it is a token. */
export function openBlobService(credential: TokenCredential | StorageSharedKeyCredential, transport: HttpClient): BlobService {
  const made = new Map<string, BlobServiceClient>();
  const httpClient = forBlobs(transport);
  return (url) => {
    // One try: a repeated create would find its own blob and call it someone else's. Whoever called asks again.
    const client = made.get(url) ?? new BlobServiceClient(url, newPipeline(credential, { httpClient, retryOptions: { maxTries: 1 }, userAgentOptions: { userAgentPrefix: "lifeboat" } }));
    made.set(url, client);
    return client;
  };
}

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
        ...(streamResponseStatusCodes === undefined ? {} : { streamResponseStatusCodes }),
      });
      const response = await transport.sendRequest(request);
      const headers = resource.headers.clone();
      for (const name of headers.headerNames()) headers.remove(name);
      for (const [name, value] of response.headers) headers.set(name, value);
      return { ...response, headers, request: resource };
    },
  };
}
