/** The volume of the shop's database in a given cluster, through the container that has it mounted. */
import { ordersClaim } from "../engine/applications.ts";
import type { VolumeHands } from "../engine/engine.ts";
import { isReady } from "../engine/seen-effects.ts";
import type { ApiObject, ApiServer } from "../real/api.ts";
import { inPod, type PodPlace } from "./pod-shell.ts";

/** Its working directory is where the volume is mounted (`images.ts`). */
export const ordersPod: PodPlace = { namespace: ordersClaim.namespace, pod: "orders-0", container: "postgres" };

type Server = ApiServer & { readonly token: string };

/** The only volume that there is to write to and to read from. */
export function ordersVolume(server: Server): VolumeHands {
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

export interface Orders {
  /** Told of every change of the cluster's pods. */
  seen(pods: ReadonlyMap<string, ApiObject>): void;
  /** Something was written to the volume: it is read anew. */
  written(): void;
  /** `null`: nobody has it mounted, or it has not been read yet. */
  files(claim: string): Readonly<Record<string, string>> | null;
}

/** Keeps the texts on the volume as they were when the database became ready: read once for each pod that does. */
export function openOrders(server: Server, onTrouble: (why: string) => void): Orders {
  let read: { readonly uid: string; readonly files: Readonly<Record<string, string>> | null } | null = null;
  const look = (uid: string) => {
    read = { uid, files: null };
    void inPod(server, ordersPod, "if [ -f orders.txt ]; then cat orders.txt; fi").then(
      (text) => {
        if (read?.uid === uid) read = { uid, files: { "orders.txt": text.toString("utf8") } };
      },
      (error: Error) => {
        if (read?.uid === uid) read = null;
        onTrouble(error.message);
      },
    );
  };
  return {
    seen(pods) {
      const pod = pods.get(`${ordersPod.namespace}/${ordersPod.pod}`);
      if (pod === undefined || !isReady(pod)) return;
      const uid = pod.metadata.uid ?? "";
      if (read?.uid !== uid) look(uid);
    },
    written() {
      if (read !== null) look(read.uid);
    },
    files: (claim) => (claim === ordersClaim.claim ? (read?.files ?? null) : null),
  };
}
