/**
 * One life of Velero's server, from the moment its pod runs until it ends. Everything that Velero does waits through its session,
 * so nothing goes on when the server is gone, and nothing happens while its region is lost.
 */
import type { RegionName } from "../pair.ts";
import type { LabWorld } from "../world.ts";
import type { Change, Store } from "../kubernetes/store.ts";
import type { BlobStore } from "./blob-store.ts";
import type { VeleroKind } from "./objects.ts";

/** Thrown by every wait of a session that is over. */
export class ServerStopped extends Error {
  override readonly name = "ServerStopped";
  constructor() {
    super("the server of this session has ended");
  }
}

export interface Session {
  isOver(): boolean;
  /** Lab time, at least. Throws `ServerStopped`. */
  sleep(waitMs: number): Promise<void>;
  /** A store whose every answer is waited for through this session. */
  guard(blobs: BlobStore): BlobStore;
  /** Work in the background. A mistake in it is told to the person who runs the lab. */
  task(what: string, work: () => Promise<void>): void;
  /** Calls back for each object of a kind that is there, then for every change of one. */
  follow(plural: VeleroKind, call: (change: Pick<Change, "type" | "object" | "before">) => void): void;
  /** Works now and then again, each time so long after the end of the last. */
  every(what: string, waitMs: () => number, work: () => Promise<void>): void;
  end(): void;
}

export function openSession(world: LabWorld, region: RegionName, store: Store): Session {
  let isOver = false;
  const ends: (() => void)[] = [];
  const returned = reachOf(world, region);

  const alive = async () => {
    if (!isOver && world.reach(region) !== "up") await returned();
    if (isOver) throw new ServerStopped();
  };
  const through = async <T>(work: Promise<T>): Promise<T> => {
    const value = await work;
    await alive();
    return value;
  };
  const session: Session = {
    isOver: () => isOver,
    async sleep(waitMs) {
      // By `after`, which lets a process end that has nothing else to do.
      await new Promise<void>((resolve) => (waitMs > 0 ? void world.clock.after(waitMs, resolve) : void setImmediate(resolve)));
      await alive();
    },
    guard: (blobs) => ({
      list: (prefix) => through(blobs.list(prefix)),
      get: (name) => through(blobs.get(name)),
      put: (name, bytes) => through(blobs.put(name, bytes)),
      delete: (name) => through(blobs.delete(name)),
    }),
    task(what, work) {
      // Never awaited by anyone: it ends with its session, and what was on its way then fails with it.
      void work().catch((error: unknown) => {
        if (!isOver) process.emitWarning(`Velero in ${region} could not ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, "LabMistake");
      });
    },
    follow(plural, call) {
      const kind = store.kinds.find("velero.io/v1", plural);
      for (const object of kind ? store.list(kind) : []) call({ type: "ADDED", object, before: null });
      ends.push(store.onChange((change) => {
        if (!isOver && change.kind.resource === `${plural}.velero.io`) call(change);
      }));
    },
    every(what, waitMs, work) {
      session.task(what, async () => {
        for (;;) {
          await work();
          await session.sleep(waitMs());
        }
      });
    },
    end() {
      isOver = true;
      for (const end of ends) end();
    },
  };
  return session;
}

const waiters = new WeakMap<LabWorld, Map<RegionName, Set<() => void>>>();

/** How to wait until a region is back. One listener for each world, however often one waits. */
function reachOf(world: LabWorld, region: RegionName): () => Promise<void> {
  let ofWorld = waiters.get(world);
  if (!ofWorld) {
    const made = new Map<RegionName, Set<() => void>>();
    ofWorld = made;
    waiters.set(world, made);
    world.onReach((changed, reach) => {
      if (reach !== "up") return;
      const waiting = made.get(changed) ?? new Set();
      made.delete(changed);
      for (const call of waiting) call();
    });
  }
  const here = ofWorld;
  return () =>
    new Promise((resolve) => {
      const waiting = here.get(region) ?? new Set();
      here.set(region, waiting.add(resolve));
    });
}
