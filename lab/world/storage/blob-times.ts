/** When each blob and container was created and last changed, in lab time: the keeper of the bytes knows the wall clock only. */
import type { BlobKey } from "./blob-bytes.ts";

export interface Times {
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** `name` "" is the container itself. */
export interface BlobTimes {
  get(key: BlobKey): Times | null;
  set(key: BlobKey, times: Times): void;
  /** Written now: an overwritten blob keeps the time of its creation. Returns what is true from now on. */
  touch(key: BlobKey, at: number): Times;
  drop(key: BlobKey): void;
  dropContainer(store: string, container: string): void;
}

export function blobTimes(): BlobTimes {
  const containers = new Map<string, Map<string, Times>>();
  const of = ({ store, container }: Omit<BlobKey, "name">) => `${store}/${container}`;
  const set = (key: BlobKey, times: Times) => {
    const names = containers.get(of(key)) ?? new Map<string, Times>();
    containers.set(of(key), names.set(key.name, times));
  };
  return {
    set,
    get: (key) => containers.get(of(key))?.get(key.name) ?? null,
    touch(key, at) {
      const times = { createdAt: containers.get(of(key))?.get(key.name)?.createdAt ?? at, modifiedAt: at };
      set(key, times);
      return times;
    },
    drop: (key) => void containers.get(of(key))?.delete(key.name),
    dropContainer: (store, container) => void containers.delete(of({ store, container })),
  };
}
