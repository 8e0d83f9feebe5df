/** Locks between processes of this machine that end with whoever holds them, however it ends. */
import net from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when somebody else holds it. */
  readonly onWait?: () => void;
  /** Between two tries; default 100. */
  readonly everyMs?: number;
}

/**
 * Waits for its turn, and resolves with what gives the lock back. A name in Linux' abstract socket space can be had once, and the
 * kernel takes it back from the dead: no file that goes stale.
 */
export async function takeLock(name: string, { signal, onWait, everyMs = 100 }: LockOptions = {}): Promise<() => Promise<void>> {
  for (let first = true; ; first = false) {
    signal?.throwIfAborted();
    const release = await tryLock(name);
    if (release !== null) return release;
    if (first) onWait?.();
    await wait(everyMs, undefined, signal ? { signal } : {});
  }
}

function tryLock(name: string): Promise<(() => Promise<void>) | null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen({ path: `\0lifeboat-real-${name}` }, () => {
      server.unref();
      resolve(() => new Promise((released) => void server.close(() => released())));
    });
  });
}
