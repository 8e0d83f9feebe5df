/** The double of Velero as the contracts reach it: a cluster of the lab, its API over HTTP, its containers behind the storage front. */
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import { controllerManager } from "../../lab/world/kubernetes/store.ts";
import { getOf, workloadKinds } from "../../lab/world/kubernetes/workloads.ts";
import { bringUpCluster } from "../../lab/world/velero/bring-up.ts";
import { recordedBlobs } from "../../lab/world/velero/blob-store.ts";
import { openSnapshots } from "../../lab/world/velero/snapshots.ts";
import type { Latencies } from "../../lab/world/latencies.ts";
import { startVeleroStorage } from "../contracts/velero-storage.ts";
import type { VolumeSpeaker } from "../contracts/velero-volumes.ts";
import { labWorld, openMachines, serve, until } from "./region.ts";

export interface DoubleOptions {
  readonly latencies?: Partial<Latencies>;
  /** Lab seconds in a wall second; as slow as Azurite must be given time. */
  readonly rate?: number;
}

export async function veleroDouble({ latencies = {}, rate = 10 }: DoubleOptions = {}): Promise<VolumeSpeaker> {
  const world = labWorld(latencies, rate);
  const storage = await startVeleroStorage(world);
  const { cluster, velero } = await bringUpCluster(world, "northeurope", { role: "secondary", ...openMachines(), locations: [], openBlobStore: frontBlobStores(storage.frontUrl), snapshots: openSnapshots(), recording: await recordedBlobs() });
  const { kubeConfig, close } = await serve(world, cluster);
  const scale = (replicas: number) => cluster.store.change(workloadKinds.deployments, "velero", "velero", (draft) => void (draft["spec"] = { ...(draft["spec"] as object), replicas }), controllerManager);
  const volumeOf = (namespace: string, claim: string) => getOf(cluster.store, "claims", namespace, claim)?.spec.volumeName ?? "";
  return {
    kubeConfig,
    patienceMs: 8_000,
    config: (store) => ({ storageAccount: storage.account(store), storageAccountURI: storage.host(store) }),
    container: (store, name) => storage.container(store, name),
    settled: () => storage.settled(),
    now: () => world.clock.now(),
    async stopVelero() {
      scale(0);
      await until("the end of Velero", () => (velero.isRunning() ? null : true));
    },
    async startVelero() {
      scale(1);
      await until("Velero", () => (velero.isRunning() ? true : null));
    },
    writeFile(namespace, claim, file, text) {
      const volume = volumeOf(namespace, claim);
      cluster.files.write(volume, { ...cluster.files.read(volume), [file]: text });
      return Promise.resolve();
    },
    readFile: (namespace, claim, file) => Promise.resolve(cluster.files.read(volumeOf(namespace, claim))[file] ?? null),
    async close() {
      velero.close();
      await close();
      await storage.close();
    },
  };
}
