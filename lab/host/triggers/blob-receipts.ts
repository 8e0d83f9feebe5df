import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { writeWhole } from "../state-file.ts";

/** One version of a blob, as a trigger has it. */
export interface BlobVersion {
  readonly container: string;
  readonly blob: string;
  readonly etag: string;
}

/** What one function did about each blob: the last version only, since an older one never comes back. */
export interface BlobReceipts {
  /** Whether nothing more is due for this version. */
  isSettled(version: BlobVersion): boolean;
  /** How often the function failed on it. */
  failures(version: BlobVersion): number;
  done(version: BlobVersion): Promise<void>;
  /** Counts one more failure; returns how many there are now. */
  failed(version: BlobVersion): Promise<number>;
  /** Forgets the blobs of a container that are no longer there. */
  keepOnly(container: string, present: ReadonlySet<string>): Promise<void>;
}

interface Line extends BlobVersion {
  readonly state: "done" | "failed" | "gone";
  readonly failures: number;
}

/**
 * Opens the receipts of one function: a file to which lines are appended, rewritten without its history at each opening. A line that
 * was cut off by a kill is left out; what it said happens once more.
 */
export async function openReceipts(file: string): Promise<BlobReceipts> {
  const latest = new Map<string, Line>();
  const take = (line: Line) => (line.state === "gone" ? latest.delete(key(line)) : latest.set(key(line), line));
  if (existsSync(file)) for (const line of readLines(await readFile(file, "utf8"))) take(line);
  await writeWhole(file, [...latest.values()].map((line) => `${JSON.stringify(line)}\n`).join(""));

  const add = async (line: Line) => {
    take(line);
    await appendFile(file, `${JSON.stringify(line)}\n`);
  };
  const of = (version: BlobVersion) => {
    const line = latest.get(key(version));
    return line?.etag === version.etag ? line : null;
  };
  const failures = (version: BlobVersion) => of(version)?.failures ?? 0;
  return {
    isSettled: (version) => of(version)?.state === "done",
    failures,
    done: ({ container, blob, etag }) => add({ container, blob, etag, state: "done", failures: 0 }),
    async failed({ container, blob, etag }) {
      const count = failures({ container, blob, etag }) + 1;
      await add({ container, blob, etag, state: "failed", failures: count });
      return count;
    },
    async keepOnly(container, present) {
      for (const line of latest.values()) {
        if (line.container === container && !present.has(line.blob)) await add({ ...line, state: "gone" });
      }
    },
  };
}

function key({ container, blob }: BlobVersion): string {
  return `${container}/${blob}`;
}

function readLines(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
