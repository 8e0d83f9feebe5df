import { closeSync, existsSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { StoreState, type Op, type Snapshot, type Store } from "./store.ts";

/** Below this size a journal is not worth compacting. */
const compactBytesMin = 4 * 1024 * 1024;

/** How a journal is kept. */
export interface JournalOptions {
  readonly file: string;
  /**
   * `none` survives the death of the process, which is what the lab needs; `data` also the machine's (an fdatasync for each
   * commit, about 0.1 ms on a fast disk).
   */
  readonly sync?: "none" | "data";
  /** Compact once the file is this large, and has doubled since it was last compacted. */
  readonly compactBytes?: number;
}

/**
 * One JSON line for each commit, appended; everything is read again at open. A last line without its end was being written when the
 * process died, was never acknowledged, and is cut off. Compaction writes a new file and renames it over the old one.
 */
export class JsonlStore implements Store {
  readonly #file: string;
  readonly #sync: boolean;
  readonly #compactBytes: number;
  #state = new StoreState();
  #fd = -1;
  #bytes = 0;
  /** Size after the last compaction. */
  #baseBytes = 0;

  constructor({ file, sync = "none", compactBytes = compactBytesMin }: JournalOptions) {
    this.#file = file;
    this.#sync = sync === "data";
    this.#compactBytes = compactBytes;
  }

  open(): Snapshot {
    mkdirSync(dirname(this.#file), { recursive: true });
    const content = existsSync(this.#file) ? readFileSync(this.#file) : Buffer.alloc(0);
    const end = content.lastIndexOf(0x0a) + 1;
    content
      .subarray(0, end)
      .toString("utf8")
      .split("\n")
      .forEach((line, index) => line && this.#state.apply(this.#parse(line, index + 1)));
    this.#fd = openSync(this.#file, "a");
    if (end < content.length) ftruncateSync(this.#fd, end);
    this.#bytes = this.#baseBytes = end;
    return this.#state;
  }

  commit(ops: readonly Op[]): void {
    const line = Buffer.from(`${JSON.stringify(ops)}\n`);
    writeAll(this.#fd, line);
    if (this.#sync) fdatasyncSync(this.#fd);
    this.#bytes += line.length;
    this.#state.apply(ops);
    if (this.#bytes > this.#compactBytes && this.#bytes > 2 * this.#baseBytes) this.#compact();
  }

  close(): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #parse(line: string, number: number): readonly Op[] {
    try {
      return JSON.parse(line) as Op[];
    } catch (error) {
      throw new Error(
        `${this.#file}, line ${number}: not a commit of this engine (${String(error)}). ` +
          "Only a torn last line is expected; move the file away to start empty.",
        { cause: error },
      );
    }
  }

  #compact(): void {
    const next = `${this.#file}.next`;
    const fd = openSync(next, "w");
    let bytes = 0;
    for (const op of this.#state.asOps()) {
      const line = Buffer.from(`${JSON.stringify([op])}\n`);
      writeAll(fd, line);
      bytes += line.length;
    }
    if (this.#sync) fdatasyncSync(fd);
    // The old descriptor is closed only when the new file bears the name, so a kill in between loses nothing.
    renameSync(next, this.#file);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#bytes = this.#baseBytes = bytes;
  }
}

function writeAll(fd: number, data: Buffer): void {
  for (let written = 0; written < data.length; ) written += writeSync(fd, data, written);
}
