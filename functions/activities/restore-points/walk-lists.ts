/** Walks lists of blobs a page at a time: only a page is waited for, so that a list of a million leaves no trail of promises behind. */
import type { Backups, BlobItem, BlobPlace } from "../../../shared/ports.ts";

export type Pages = AsyncIterable<Iterable<BlobItem>>;

/** A folder has more blobs than are compared. Asking again would not help. */
export class FolderTooLarge extends Error {
  override readonly name = "FolderTooLarge";
}

/** The blobs under a prefix in pages; where the port knows none, each blob is one. */
export const pagesOf = (backups: Pick<Backups, "list" | "pages">, place: BlobPlace, prefix: string): Pages => backups.pages?.(place, prefix) ?? single(backups.list(place, prefix));

async function* single(items: AsyncIterable<BlobItem>): AsyncGenerator<readonly BlobItem[]> {
  for await (const item of items) yield [item];
}

/** Every page, up to `max` blobs in all; throws `FolderTooLarge` at the first one more. */
export async function* upTo(max: number, pages: Pages, folder: string): AsyncGenerator<Iterable<BlobItem>> {
  const seen = { blobs: 0, max, folder };
  for await (const page of pages) yield counted(page, seen);
}

function* counted(page: Iterable<BlobItem>, seen: { blobs: number; readonly max: number; readonly folder: string }): Generator<BlobItem> {
  for (const item of page) {
    if (++seen.blobs > seen.max) throw new FolderTooLarge(`${seen.folder} has more than ${seen.max} blobs`);
    yield item;
  }
}

/** Walks two lists in their common order, each name once: with what each of them has of it. */
export async function walkTogether(one: Pages, other: Pages, take: (name: string, one: BlobItem | null, other: BlobItem | null) => void): Promise<void> {
  const [left, right] = [openWalk(one), openWalk(other)];
  try {
    await Promise.all([left.next(), right.next()]);
    while (left.item !== null || right.item !== null) {
      const [here, there]: [BlobItem | null, BlobItem | null] = [left.item, right.item];
      const name = here === null || (there !== null && there.name < here.name) ? (there?.name ?? "") : here.name;
      const [from, copy] = [here?.name === name ? here : null, there?.name === name ? there : null];
      take(name, from, copy);
      const waits = [from === null ? undefined : left.next(), copy === null ? undefined : right.next()].filter((wait) => wait !== undefined);
      if (waits.length > 0) await Promise.all(waits);
    }
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

interface Walk {
  /** Where the walk stands; `null`: at the end, or not begun. */
  readonly item: BlobItem | null;
  /** A step on. A promise where a page has to be waited for. */
  next(): Promise<void> | undefined;
  end(): Promise<void>;
}

function openWalk(pages: Pages): Walk {
  const coming = pages[Symbol.asyncIterator]();
  let page: Iterator<BlobItem> = [][Symbol.iterator]();
  const walk = { item: null as BlobItem | null, next, end: async () => void (await coming.return?.()) };
  function next(): Promise<void> | undefined {
    const step = page.next();
    if (step.done === true) return turn();
    walk.item = step.value;
    return undefined;
  }
  /** On to the next page that has anything on it. */
  async function turn(): Promise<void> {
    for (;;) {
      const turned = await coming.next();
      walk.item = null;
      if (turned.done === true) return;
      page = turned.value[Symbol.iterator]();
      const step = page.next();
      if (step.done === true) continue;
      walk.item = step.value;
      return;
    }
  }
  return walk;
}
