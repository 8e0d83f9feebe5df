/** The bytes of every store, in memory. Which store answers where, and when a copy arrives, is for the lab's own storage to say. */
import type { BlobBytes, BlobKey } from "../../world/storage/blob-bytes.ts";

export interface MemoryBytes extends BlobBytes {
  get(key: BlobKey): Uint8Array | null;
  /** Names in one container, in order; empty where there is no such container. */
  names(store: string, container: string): readonly string[];
}

export function memoryBytes(): MemoryBytes {
  const containers = new Map<string, Map<string, Uint8Array>>();
  const of = (store: string, container: string): Map<string, Uint8Array> => {
    const key = `${store}/${container}`;
    const known = containers.get(key) ?? new Map<string, Uint8Array>();
    containers.set(key, known);
    return known;
  };
  return {
    get: ({ store, container, name }) => containers.get(`${store}/${container}`)?.get(name) ?? null,
    names: (store, container) => [...(containers.get(`${store}/${container}`)?.keys() ?? [])].sort(),
    copy(from, to) {
      const bytes = containers.get(`${from.store}/${from.container}`)?.get(from.name);
      if (bytes === undefined) return Promise.resolve(false);
      of(to.store, to.container).set(to.name, bytes);
      return Promise.resolve(true);
    },
    put({ store, container, name }, content) {
      of(store, container).set(name, content);
      return Promise.resolve();
    },
    delete({ store, container, name }) {
      containers.get(`${store}/${container}`)?.delete(name);
      return Promise.resolve();
    },
    createContainer(store, container) {
      of(store, container);
      return Promise.resolve();
    },
    deleteContainer(store, container) {
      containers.delete(`${store}/${container}`);
      return Promise.resolve();
    },
  };
}
