/** The home account's blobs: bodies and ETags, which change with every write. */
import type { Stored } from "../../../shared/ports.ts";

export interface MemoryHome {
  readonly blobs: ReadonlyMap<string, Stored>;
  read(name: string): Stored | null;
  /** By the store's own clock, UTC milliseconds; whole seconds, cut off. */
  writtenAt(name: string): number;
  create(name: string, body: string): boolean;
  replace(name: string, body: string, ifMatch: string): string | null;
  put(name: string, body: string): void;
  list(prefix: string): readonly string[];
  /** Calls back at every write. */
  onWrite(call: (name: string, body: string, before: string | null) => void): void;
}

export function memoryHome(nowAt: () => number): MemoryHome {
  const blobs = new Map<string, Stored>();
  const writtenAt = new Map<string, number>();
  const listeners: ((name: string, body: string, before: string | null) => void)[] = [];
  let writes = 0;
  const write = (name: string, body: string): string => {
    const before = blobs.get(name)?.body ?? null;
    const etag = `"${++writes}"`;
    blobs.set(name, { body, etag });
    writtenAt.set(name, wholeSeconds(nowAt()));
    for (const call of listeners) call(name, body, before);
    return etag;
  };
  return {
    blobs,
    read: (name) => blobs.get(name) ?? null,
    writtenAt: (name) => writtenAt.get(name) ?? 0,
    create(name, body) {
      if (blobs.has(name)) return false;
      write(name, body);
      return true;
    },
    replace: (name, body, ifMatch) => (blobs.get(name)?.etag === ifMatch ? write(name, body) : null),
    put: (name, body) => void write(name, body),
    list: (prefix) => [...blobs.keys()].filter((name) => name.startsWith(prefix)).sort(),
    onWrite: (call) => void listeners.push(call),
  };
}

/** As HTTP dates are. */
export const wholeSeconds = (at: number): number => Math.floor(at / 1_000) * 1_000;
