import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createGzip, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import * as tar from "tar-stream";
import { describe, test } from "vitest";
import { readTarball, tarballBounds } from "../../functions/activities/restore-points/read-tarball.ts";
import { WorldError } from "../../shared/ports.ts";
import { inChunks, recordedBlob } from "./store.ts";

const name = "shop-hourly-20261121055825";
const whole = recordedBlob(`backups/${name}/${name}.tar.gz`);
const labels = ["lifeboat.dev/consumer=true"];
const read = (bytes: Uint8Array, chunk?: number) => readTarball(inChunks(bytes, chunk), labels);

async function archive(entries: readonly (readonly [name: string, body: string])[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [entry, body] of entries) pack.entry({ name: entry }, body);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack as unknown as AsyncIterable<Buffer>) chunks.push(chunk); // streamx's types leave the chunks open
  return gzipSync(Buffer.concat(chunks));
}
const version = ["metadata/version", "1.1.0\n"] as const;
const configMap = (item: string) => [`resources/configmaps/v1-preferredversion/namespaces/shop/${item}.json`, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "shop", name: item } })] as const;

describe("a whole archive", () => {
  test("names its objects, consumers, images, claims and kinds", async ({ expect }) => {
    const tarball = await read(whole);
    if (tarball.kind !== "read") throw new Error(tarball.kind);
    const { contents, formatVersion, keys } = tarball;
    expect([formatVersion, keys.size, contents.objects]).toEqual(["1.1.0", 74, 74]);
    expect(contents.namespaces["shop"]).toMatchObject({ objects: 53, storageClasses: ["managed-csi"], images: expect.arrayContaining(["postgres:17", "shopregistry.azurecr.io/storefront:4.12.0"]) as string[] });
    expect(contents.consumers.map(({ kind, name, replicas, suspended, podLabels }) => ({ kind, name, replicas, suspended, podLabels }))).toEqual([
      { kind: "Deployment", name: "order-mailer", replicas: 1, suspended: null, podLabels: { app: "order-mailer" } },
      { kind: "CronJob", name: "invoice-run", replicas: null, suspended: false, podLabels: {} },
    ]);
    expect(contents.claims).toMatchObject([{ namespace: "shop", name: "data-orders-0", storageClass: "managed-csi", phase: "Bound" }]);
    expect(contents.customKinds).toContainEqual({ name: "promotions.shop.example.com", group: "shop.example.com", kind: "Promotion", versions: ["v1"] });
    expect(contents.cut).toEqual([]);
  });

  test("reads the same in whatever pieces it comes", async ({ expect }) => {
    const expected = await read(whole);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), async (chunk) => {
        expect(await read(whole, chunk)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});

describe("an archive that is not whole", () => {
  test("cut off anywhere it is broken, and nothing is thrown", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        expect(await read(whole.subarray(0, length))).toMatchObject({ kind: "broken", why: expect.stringMatching(/^the tarball is cut off: unexpected end of file \(after \d+ objects, \d+ bytes read\)$/) as string });
      }),
      { numRuns: 80 },
    );
  });

  test("with any byte changed it is broken, or says exactly the same", async ({ expect }) => {
    const expected = await read(whole);
    let readable = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(whole);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const tarball = await read(changed);
        // A few bits carry nothing: gzip's own header has a time, and its blocks have padding.
        expect(tarball.kind === "read" ? tarball : expected).toEqual(expected);
        readable += tarball.kind === "read" && at >= 10 ? 1 : 0;
      }),
      { numRuns: 80 },
    );
    expect(readable).toBeLessThan(8);
  });

  test("an archive inside that ends too early is broken although its packing is whole", async ({ expect }) => {
    const plain = gunzipSync(whole);
    for (const length of [1, 300, 700, 5_000, 40_001]) expect(await read(gzipSync(plain.subarray(0, length)))).toMatchObject({ kind: "broken" });
  });

  test.for([
    ["empty", () => Buffer.alloc(0), "the tarball is cut off"],
    ["no archive", () => Buffer.from("<html>not found</html>"), "the tarball is damaged: incorrect header check"],
    ["an archive of something else", () => archive([["readme.txt", "hello"]]), "has no metadata/version"],
    ["one with an object that is no JSON", () => archive([version, ["resources/pods/cluster/x.json", "{"]]), "resources/pods/cluster/x.json in it is no Kubernetes object"],
    ["one with JSON that is no object", () => archive([version, ["resources/pods/cluster/x.json", "[]"]]), "is no Kubernetes object"],
  ] as const)("%s is broken, and the reason says how", async ([, make, why], { expect }) => {
    expect(await read(await make())).toMatchObject({ kind: "broken", why: expect.stringContaining(why) as string });
  });

  test("what is beyond a bound is refused by name", async ({ expect }) => {
    const bytes = await archive([version, configMap("one"), configMap("two")]);
    const bounded = (bounds: { readonly [K in keyof typeof tarballBounds]?: number }) => readTarball(inChunks(bytes), labels, { ...tarballBounds, ...bounds });
    expect(await bounded({})).toMatchObject({ kind: "read" });
    expect(await bounded({ objects: 1 })).toMatchObject({ kind: "broken", why: expect.stringContaining("it holds more than 1 objects") as string });
    expect(await bounded({ entryBytes: 20 })).toMatchObject({ kind: "broken", why: expect.stringContaining("one.json in it has more than 20 bytes") as string });
    expect(await bounded({ unpackedBytes: 600 })).toMatchObject({ kind: "broken", why: expect.stringContaining("it unpacks into more than 600 bytes") as string });
  });

  test("a way that breaks off is an error to try again after, no statement about the archive", async ({ expect }) => {
    const lost = (async function* () {
      yield whole.subarray(0, 9_000);
      throw new WorldError("read blob", "the replica", "connection reset");
    })();
    await expect(readTarball(lost, labels)).rejects.toThrow("connection reset");
  });
});

test("memory does not grow with the archive: 200 MB stream by", { timeout: 60_000 }, async ({ expect }) => {
  const body = (item: number, filling: string) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "bulk", name: `item-${item % 500}` }, data: { filling } });
  const pack = tar.pack();
  const filled = (async () => {
    pack.entry({ name: version[0] }, version[1]);
    const filling = randomBytes(131_072).toString("hex");
    for (let item = 0; item < 800; item++) {
      const text = body(item, filling);
      await new Promise<void>((resolve, reject) => pack.entry({ name: `resources/configmaps/v1-preferredversion/namespaces/bulk/item-${item % 500}.json` }, text, (error) => (error ? reject(error) : resolve())));
    }
    pack.finalize();
  })();
  const packed = Readable.from(pack as unknown as AsyncIterable<Buffer>).pipe(createGzip({ level: 0 }) /* as much on the wire as in it */);
  let bytes = 0;
  let most = 0;
  const before = process.memoryUsage.rss();
  const watched = (async function* () {
    for await (const chunk of packed as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage.rss() - before);
      yield chunk;
    }
  })();
  const tarball = await readTarball(watched, labels);
  await filled;
  expect(tarball).toMatchObject({ kind: "read", contents: { objects: 500 } });
  expect(bytes).toBeGreaterThan(180_000_000);
  expect(most).toBeLessThan(100_000_000);
});
