import { gzipSync } from "node:zlib";
import fc from "fast-check";
import * as tar from "tar-stream";
import { describe, test } from "vitest";
import { readTarball, tarballBounds } from "../../functions/activities/restore-points/read-tarball.ts";
import { openTarEntries } from "../../functions/activities/restore-points/tar-entries.ts";
import type { TarballFound } from "../../shared/domain/inventory.ts";
import { inChunks } from "./store.ts";

type Entry = readonly [name: string, body: string, header?: Partial<tar.Header>];

async function packed(entries: readonly Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, body, header] of entries) pack.entry({ name, ...header }, body);
  pack.finalize();
  const parts: Buffer[] = [];
  for await (const part of pack as unknown as AsyncIterable<Buffer>) parts.push(part); // streamx's types leave the chunks open
  return Buffer.concat(parts);
}
const version: Entry = ["metadata/version", "1.1.0\n"];
const configMap = (name: string): Entry => [`resources/configmaps/namespaces/shop/${name}.json`, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "shop", name } })];
const read = (bytes: Uint8Array) => readTarball(inChunks(bytes, 65_536), []);
const refusal = ({ kind, ...found }: TarballFound) => ("why" in found ? found.why : kind);

describe("a tar", () => {
  test("is taken apart as another reader's writer put it together, whatever the names, bodies and pieces", async ({ expect }) => {
    const name = fc.array(fc.string({ unit: fc.constantFrom("a", "Z", "-", ".x", "ü", "漢", "🛶"), minLength: 1, maxLength: 120 }), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, fc.string({ maxLength: 2_000 })), { maxLength: 12 }), fc.integer({ min: 1, max: 3_000 }), async (entries, piece) => {
        const found: [string, string][] = [];
        const reader = openTarEntries({ entryBytes: 1e6, entries: 100 }, (name, body) => found.push([name, body.toString("utf8")]));
        const bytes = await packed(entries);
        for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
        reader.end();
        expect(found).toEqual(entries);
      }),
      { numRuns: 100 },
    );
  });

  test.for<readonly [string, readonly Entry[], string]>([
    ["a path that climbs out", [version, ["resources/../../etc/passwd", "x"]], "resources/../../etc/passwd in it leads out of the folder"],
    ["an absolute path", [version, ["/etc/passwd", "x"]], "/etc/passwd in it leads out of the folder"],
    ["a path of Windows", [version, ["resources\\..\\x", "x"]], "leads out of the folder"],
    ["a symbolic link", [version, ["resources/pods/x.json", "", { type: "symlink", linkname: "/etc/passwd" }]], "resources/pods/x.json in it is no file but a symbolic link"],
    ["a hard link", [version, ["resources/pods/x.json", "", { type: "link", linkname: "x" }]], "is no file but a hard link"],
    ["a device", [version, ["resources/pods/x.json", "", { type: "character-device" }]], "is no file but a device"],
    ["a length below zero", [version, ["resources/pods/x.json", "x", { pax: { size: "-5" } }]], "a long header in it cannot be read"],
    ["a file with holes", [version, ["resources/pods/x.json", "x", { pax: { "GNU.sparse.major": "1" } }]], "makes a sparse file"],
    ["an object under another one's path", [version, ["resources/configmaps/namespaces/shop/other.json", configMap("one")[1]]], "other.json in it is another object, v1/ConfigMap shop/one"],
  ])("with %s is refused by name", async ([, entries, reason], { expect }) => {
    expect(refusal(await read(gzipSync(await packed(entries))))).toContain(reason);
  });

  test("folders in it are no objects, and no harm", async ({ expect }) => {
    expect(await read(gzipSync(await packed([["resources/", "", { type: "directory" }], version, configMap("one")])))).toMatchObject({ kind: "read", contents: { objects: 1 } });
  });

  test("cut between two entries and packed again, it lacks its end", async ({ expect }) => {
    const bytes = await packed([version, configMap("one"), configMap("two")]);
    expect(refusal(await read(gzipSync(bytes.subarray(0, 4 * 512))))).toContain("the tarball is cut off: unexpected end of data: the archive inside has no end");
  });

  test("with something behind its end is refused, inside and outside its packing", async ({ expect }) => {
    const bytes = await packed([version, configMap("one")]);
    expect(refusal(await read(Buffer.concat([gzipSync(bytes), Buffer.from("and more")])))).toContain("the tarball is damaged: incorrect header check");
    expect(refusal(await read(Buffer.concat([gzipSync(bytes), Buffer.alloc(9)])))).toContain("9 bytes follow its end");
    expect(refusal(await read(gzipSync(Buffer.concat([bytes, await packed([configMap("two")])]))))).toContain("something follows its end");
  });

  test("with a header changed, although its packing was made anew, is damaged", async ({ expect }) => {
    const bytes = await packed([version, configMap("one")]);
    bytes[1_030] = 0x58;
    expect(refusal(await read(gzipSync(bytes)))).toContain("does not agree with its checksum");
  });
});

describe("what unpacks into more than there can be", () => {
  /** A member of zeros, a thousand times smaller than what it holds, again and again. */
  async function* bomb(head: Buffer, member: Buffer, times: number): AsyncGenerator<Uint8Array> {
    yield head;
    for (let time = 0; time < times; time++) yield member;
  }
  const zeros = gzipSync(Buffer.alloc(16 * 1024 * 1024));

  test("zeros without end behind an archive are given up after a megabyte", async ({ expect }) => {
    const head = gzipSync(await packed([version]));
    expect(refusal(await readTarball(bomb(head, zeros, 1_000_000), []))).toContain("more than 1048576 bytes follow its last entry");
  });

  test("an entry without end is refused by its header", async ({ expect }) => {
    const bytes = (await packed([version, configMap("bomb")])).subarray(0, 1024 + 512);
    bytes.write(`${(4 * 1024 ** 3).toString(8).padStart(11, "0")} `, 1024 + 124, "latin1");
    bytes.fill(" ", 1024 + 148, 1024 + 156);
    bytes.write(`${bytes.subarray(1024).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 1024 + 148, "latin1");
    expect(refusal(await readTarball(bomb(gzipSync(bytes), zeros, 1_000_000), []))).toContain(`bomb.json in it has more than ${tarballBounds.entryBytes} bytes`);
  });

  test("a long name without end is refused too", async ({ expect }) => {
    const bytes = await packed([version, ["a".repeat(300), "x"]]);
    bytes.write(`${(4 * 1024 ** 3).toString(8).padStart(11, "0")} `, 1024 + 124, "latin1");
    bytes.fill(" ", 1024 + 148, 1024 + 156);
    bytes.write(`${bytes.subarray(1024, 1536).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 1024 + 148, "latin1");
    expect(refusal(await readTarball(bomb(gzipSync(bytes.subarray(0, 1536)), zeros, 1_000_000), []))).toContain("in it has more than 1048576 bytes");
  });
});
