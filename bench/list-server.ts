/** A blob service that can do nothing but list, and makes up what it lists: a million blobs need no disk and no patience. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { blobAt } from "./velero-container.ts";

export interface ListServer {
  /** Accounts are the first part of the path; whichever is asked has the same blobs. */
  readonly url: string;
  close(): Promise<void>;
}

const pageMax = 5_000;
const modified = "Sat, 21 Nov 2026 05:58:25 GMT";

export async function startListServer(blobs: number): Promise<ListServer> {
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://127.0.0.1").searchParams;
    if (asked.get("comp") !== "list") {
      response.writeHead(404, { "x-ms-error-code": "BlobNotFound" }).end();
      return;
    }
    const from = Number(asked.get("marker") || 0);
    const to = Math.min(blobs, from + Math.min(pageMax, Number(asked.get("maxresults") || pageMax)));
    const items: string[] = [];
    for (let at = from; at < to; at++) {
      const { name, bytes } = blobAt(at, blobs);
      items.push(
        `<Blob><Name>${name}</Name><Properties><Creation-Time>${modified}</Creation-Time><Last-Modified>${modified}</Last-Modified><Etag>0x${(at * 31).toString(16).padStart(15, "0")}</Etag><Content-Length>${bytes}</Content-Length><Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred></Properties></Blob>`,
      );
    }
    const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/" ContainerName="velero"><Blobs>${items.join("")}</Blobs><NextMarker>${to < blobs ? to : ""}</NextMarker></EnumerationResults>`;
    response.writeHead(200, { "content-type": "application/xml", "x-ms-version": "2025-01-05" }).end(body);
  });
  // The default of five seconds ends connections under a client that a busy machine held up.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
