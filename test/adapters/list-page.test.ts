import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StorageSharedKeyCredential } from "@azure/storage-blob";
import { test } from "vitest";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { listed } from "../contracts/backups.ts";
import { openAzuriteAccount } from "./azurite-account.ts";

const modified = "Sat, 21 Nov 2026 05:58:25 GMT";
const blob = (name: string, more = "", properties = `<Last-Modified>${modified}</Last-Modified><Etag>0x1</Etag><Content-Length>7</Content-Length>`) => `<Blob>${name}<Properties>${properties}</Properties>${more}</Blob>`;

/** A service whose every answer to a list is these blobs, sent in pieces of so many bytes. */
async function listOf(blobs: string, piece: number, ask: (items: ReturnType<typeof listed>) => Promise<void>): Promise<void> {
  const server = createServer((_, response) => {
    const body = Buffer.from(`<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="velero"><Blobs>${blobs}</Blobs><NextMarker></NextMarker></EnumerationResults>`);
    response.writeHead(200, { "content-type": "application/xml" });
    for (let at = 0; at < body.length; at += piece) response.write(body.subarray(at, at + piece));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sttest`;
    const backups = openBackups(openBlobService(new StorageSharedKeyCredential("sttest", "bWFkZS11cA=="), openTransport({}), 5));
    await ask(listed(backups.list({ url, container: "velero" }, "")));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const found = { bytes: 7, etag: "0x1", lastModifiedAt: Date.parse(modified) };

test.for([1, 7, 4_096])("blobs are taken out of an answer that comes in pieces of %i bytes: entities, other alphabets, every word of replication", async (piece, { expect }) => {
  const blobs = [
    blob("<Name>backups/a &amp; b/&lt;x&gt;&#228;&#x6F22;</Name>"),
    blob("<Name>kopia/shop/漢🛶</Name>", "<OrMetadata><or-p1_r1>complete</or-p1_r1><or-p1_r2>complete</or-p1_r2></OrMetadata>"),
    blob("<Name>kopia/shop/p1</Name>", "<OrMetadata><or-p1_r1>complete</or-p1_r1><or-p1_r2>failed</or-p1_r2></OrMetadata>"),
  ].join("");
  await listOf(blobs, piece, async (items) => {
    expect(await items).toEqual([
      { ...found, name: "backups/a & b/<x>ä漢", replication: "pending" },
      { ...found, name: "kopia/shop/漢🛶", replication: "complete" },
      { ...found, name: "kopia/shop/p1", replication: "failed" },
    ]);
  });
});

test("a blob in the archive tier says so, and one in another tier does not, whoever reads it", async ({ expect }) => {
  const tier = (name: string, of: string, more = "") => blob(`<Name>${name}</Name>`, "", `<Last-Modified${more}>${modified}</Last-Modified${more}><Etag>0x1</Etag><Content-Length>7</Content-Length><AccessTier>${of}</AccessTier>`);
  await listOf(tier("a", "Archive") + tier("b", "Cool") + tier("c", "Archive", " "), 64, async (items) => {
    expect(new Set((await items).map(({ name, archived }) => `${name} ${String(archived)}`))).toEqual(new Set(["a true", "b undefined", "c true"]));
  });
});

test("a blob that is written otherwise is left to the client's own parser, and is in the list all the same", async ({ expect }) => {
  const odd = [blob('<Name Encoded="true">a%EF%BF%BFb</Name>'), blob(" <Name>c</Name>"), blob("<Name>d</Name>", "", `<Etag>0x1</Etag><Content-Length>7</Content-Length><Last-Modified >${modified}</Last-Modified>`)].join("");
  await listOf(blob("<Name>b</Name>") + odd, 64, async (items) => {
    expect((await items).map(({ name, bytes, etag }) => ({ name, bytes, etag })).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(["a\uffffb", "b", "c", "d"].map((name) => ({ name, bytes: 7, etag: "0x1" })));
  });
});

test("an account's list reads as the client reads it", async ({ expect }) => {
  const account = await openAzuriteAccount();
  try {
    const container = await account.container();
    const client = account.blobService.at(account.url).getContainerClient(container);
    const names = ["a & b", "<c>", 'd"e\'f', "g;&amp;h", "ü/漢/🛶", "i%20j", "k+l", `long/${"x".repeat(250)}`];
    for (const name of names) await client.getBlockBlobClient(name).upload("seven b", 7);
    const expected = [];
    for await (const { name, properties } of client.listBlobsFlat()) expected.push({ name, bytes: properties.contentLength, etag: properties.etag, lastModifiedAt: properties.lastModified.getTime(), replication: "pending" });
    expect(await listed(openBackups(account.blobService).list({ url: account.url, container }, ""))).toEqual(expected);
    expect(expected).toHaveLength(names.length);
  } finally {
    await account.close();
  }
});
