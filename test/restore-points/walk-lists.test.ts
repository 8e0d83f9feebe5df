import fc from "fast-check";
import { describe, test } from "vitest";
import { FolderTooLarge, type Pages, pagesOf, upTo, walkTogether } from "../../functions/activities/restore-points/walk-lists.ts";
import type { BlobItem } from "../../shared/ports.ts";

const item = (name: string): BlobItem => ({ name, bytes: 1, etag: "", lastModifiedAt: 0, replication: "complete" });

/** Names in pages of those sizes, empty ones among them; `left` tells that the walker went away. */
async function* paged(names: readonly string[], sizes: readonly number[], left: () => void = () => undefined): AsyncGenerator<readonly BlobItem[]> {
  try {
    for (let at = 0, page = 0; at < names.length; page++) {
      const size = sizes[page % sizes.length] ?? 1;
      yield names.slice(at, at + size).map(item);
      at += size;
      if (size === 0 && sizes.every((each) => each === 0)) yield names.slice(at++, at).map(item);
    }
  } finally {
    left();
  }
}

async function walked(one: Pages, other: Pages): Promise<string[]> {
  const seen: string[] = [];
  await walkTogether(one, other, (name, here, there) => void seen.push(`${name}${here ? " one" : ""}${there ? " other" : ""}`));
  return seen;
}

describe("two lists walked together", () => {
  test("give each name once, in order, with what either has of it, however they come in pages", async ({ expect }) => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 40 }).map((all) => all.toSorted((a, b) => (a < b ? -1 : 1)));
    const sizes = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(names, names, sizes, sizes, async (one, other, ones, others) => {
        const all = [...new Set([...one, ...other])].toSorted((a, b) => (a < b ? -1 : 1));
        expect(await walked(paged(one, ones), paged(other, others))).toEqual(all.map((name) => `${name}${one.includes(name) ? " one" : ""}${other.includes(name) ? " other" : ""}`));
      }),
      { numRuns: 200 },
    );
  });

  test("are both let go when one of them breaks off", async ({ expect }) => {
    let left = 0;
    const breaks: Pages = (async function* () {
      yield [item("a")];
      throw new Error("reset");
    })();
    await expect(walked(breaks, paged(["a", "b", "c"], [1], () => void (left += 1)))).rejects.toThrow("reset");
    expect(left).toBe(1);
  });

  test("end at the first blob too many, which may be in the middle of a page", async ({ expect }) => {
    await expect(walked(upTo(3, paged(["a", "b", "c", "d"], [3]), "kopia/shop/"), paged([], [1]))).rejects.toThrow(new FolderTooLarge("kopia/shop/ has more than 3 blobs"));
    expect(await walked(upTo(4, paged(["a", "b", "c", "d"], [3]), "kopia/shop/"), paged([], [1]))).toHaveLength(4);
  });
});

test("a speaker that lists by the blob alone is walked by the blob", async ({ expect }) => {
  const backups = {
    async *list() {
      yield item("a");
      yield item("b");
    },
  };
  expect(await walked(pagesOf(backups, { url: "", container: "" }, ""), paged(["b"], [1]))).toEqual(["a one", "b one other"]);
});
