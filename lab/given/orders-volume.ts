/** The volume of the shop's database in a given cluster, through the container that has it mounted. */
import { ordersClaim } from "../engine/applications.ts";
import type { VolumeHands } from "../engine/engine.ts";
import { isReady } from "../engine/seen-effects.ts";
import type { ApiObject } from "../real/api.ts";
import type { OwnServer } from "./login.ts";
import { inPod, type PodPlace } from "./pod-shell.ts";

/** Its working directory is where the volume is mounted (`images.ts`). */
export const ordersPod: PodPlace = { namespace: ordersClaim.namespace, pod: "orders-0", container: "postgres" };

/** The only volume that there is to write to and to read from. */
export function ordersVolume(server: OwnServer): VolumeHands {
  const quoted = (file: string) => `'${file.replaceAll("'", "'\\''")}'`;
  return {
    // Counted, for the end of an input does not reach every API server.
    write: async (_namespace, _claim, file, bytes) => void (await inPod(server, ordersPod, `head -c ${bytes.byteLength} > ${quoted(file)}`, bytes)),
    async digest(_namespace, _claim, file) {
      const said = (await inPod(server, ordersPod, `if [ -f ${quoted(file)} ]; then sha256sum < ${quoted(file)}; fi`)).toString("utf8");
      return /^[\da-f]{64}/.exec(said)?.[0] ?? null;
    },
  };
}

/** The shop's orders as they are on the volume now. */
export const readOrders = async (server: OwnServer): Promise<string> => (await inPod(server, ordersPod, "if [ -f orders.txt ]; then cat orders.txt; fi")).toString("utf8");

export interface Orders {
  /** Told of every change of the cluster's pods. */
  seen(pods: ReadonlyMap<string, ApiObject>): void;
  /** Something was written to the volume: it is read anew. */
  written(): void;
  /** `null`: nobody has it mounted, or it has not been read yet. */
  files(claim: string): Readonly<Record<string, string>> | null;
  /** Nothing is read from now on. */
  close(): void;
}

export interface OrdersOptions {
  readonly read: () => Promise<string>;
  /** Told of each reason for which they could not be read, once. They are asked for again all the same. */
  readonly onTrouble: (why: string) => void;
  readonly againMs?: number;
}

/** Keeps the texts on the volume as they were when the database became ready: read once for each pod that does. */
export function openOrders({ read, onTrouble, againMs = 1_000 }: OrdersOptions): Orders {
  interface Look {
    readonly uid: string;
    files: Readonly<Record<string, string>> | null;
  }
  let latest: Look | null = null;
  const told = new Set<string>();
  const look = (uid: string) => {
    const mine: Look = { uid, files: null };
    latest = mine;
    void read().then(
      (text) => void (mine.files = { "orders.txt": text }),
      ({ message }: Error) => {
        if (latest !== mine) return;
        if (!told.has(message)) onTrouble(message);
        told.add(message);
        // No change of the pod need come any more.
        setTimeout(() => {
          if (latest === mine) look(uid);
        }, againMs).unref();
      },
    );
  };
  return {
    seen(pods) {
      const pod = pods.get(`${ordersPod.namespace}/${ordersPod.pod}`);
      if (pod === undefined) latest = null;
      if (pod === undefined || !isReady(pod)) return;
      const uid = pod.metadata.uid ?? "";
      if (latest?.uid !== uid) look(uid);
    },
    written() {
      if (latest !== null) look(latest.uid);
    },
    files: (claim) => (claim === ordersClaim.claim ? (latest?.files ?? null) : null),
    close: () => void (latest = null),
  };
}
