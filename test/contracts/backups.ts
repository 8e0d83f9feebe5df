import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "vitest";
import type { Backups, BlobItem, BlobPlace } from "../../shared/ports.ts";

export interface BackupsStage {
  readonly backups: Backups;
  /** A container that takes writes, empty. */
  readonly place: BlobPlace;
  readonly put: (name: string, body: string | Uint8Array) => Promise<void>;
}

export async function listed(items: AsyncIterable<BlobItem>): Promise<BlobItem[]> {
  const all: BlobItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What every Backups must do with a container that takes writes. `open` gives an empty one each time. */
export function backupsContract(name: string, open: () => Promise<BackupsStage>): void {
  describe(`${name} keeps the backups contract`, () => {
    test("a list has every blob under a prefix with its size and time, and no other", async ({ expect }) => {
      const { backups, place, put } = await open();
      await put("backups/shop-1/velero-backup.json", "{}");
      await put("backups/shop-1/shop-1.tar.gz", "tar");
      await put("backups/shop-10/velero-backup.json", "{}");
      const items = await listed(backups.list(place, "backups/shop-1/"));
      expect(items.map(({ name, bytes }) => [name, bytes])).toEqual([["backups/shop-1/shop-1.tar.gz", 3], ["backups/shop-1/velero-backup.json", 2]]);
      for (const { etag, lastModifiedAt } of items) {
        expect(etag).not.toBe("");
        expect(lastModifiedAt).toBeGreaterThan(Date.parse("2020-01-01T00:00:00Z"));
      }
      expect(await listed(backups.list(place, "backups/none/"))).toEqual([]);
      const byPage: BlobItem[] = [];
      for await (const page of backups.pages?.(place, "backups/shop-1/") ?? [items]) byPage.push(...page);
      expect(byPage, "the same by the page").toEqual(items);
    });

    test("folders are named without prefix or slash, blobs beside them are none", async ({ expect }) => {
      const { backups, place, put } = await open();
      for (const blob of ["backups/shop-1/a", "backups/shop-1/b", "backups/shop-2/a", "backups/readme", "kopia/shop/p1"]) await put(blob, "-");
      expect(await backups.folders(place, "backups/")).toEqual(["shop-1", "shop-2"]);
      expect(await backups.folders(place, "")).toEqual(["backups", "kopia"]);
      expect(await backups.folders(place, "restores/")).toEqual([]);
    });

    test("a blob is read whole; what is not there is null", async ({ expect }) => {
      const { backups, place, put } = await open();
      const body = randomBytes(70_000);
      await put("backups/shop-1/shop-1.tar.gz", body);
      expect(Buffer.from((await backups.read(place, "backups/shop-1/shop-1.tar.gz")) ?? []).equals(body)).toBe(true);
      expect(await backups.read(place, "backups/shop-2/shop-2.tar.gz")).toBeNull();
    });

    test("a blob that is larger than the bound is an error", async ({ expect }) => {
      const { backups, place, put } = await open();
      await put("log", "0123456789");
      expect(await backups.read(place, "log", 10)).toHaveLength(10);
      await expect(backups.read(place, "log", 9)).rejects.toThrow("more than 9 bytes");
    });

    test("a stream gives the same bytes, and may be left early", async ({ expect }) => {
      const { backups, place, put } = await open();
      const body = randomBytes(3_000_000);
      await put("kopia/shop/p1", body);
      const hash = createHash("sha256");
      for await (const chunk of (await backups.open(place, "kopia/shop/p1")) ?? []) hash.update(chunk);
      expect(hash.digest("hex")).toBe(createHash("sha256").update(body).digest("hex"));

      let seen = 0;
      for await (const chunk of (await backups.open(place, "kopia/shop/p1")) ?? []) {
        seen += chunk.length;
        break;
      }
      expect(seen).toBeGreaterThan(0);
      expect(seen).toBeLessThan(body.length);
      expect(await backups.open(place, "kopia/shop/p2")).toBeNull();
    });

    test("a probe for writes leaves nothing behind, however often it is made", async ({ expect }) => {
      const { backups, place } = await open();
      expect(await backups.probeWrite(place, "restores/probe")).toEqual({ kind: "accepted" });
      expect(await backups.probeWrite(place, "restores/probe")).toEqual({ kind: "accepted" });
      expect(await listed(backups.list(place, ""))).toEqual([]);
    });
  });
}
