/** A real cluster and a real Velero as the contracts reach them. */
import { KubeConfig } from "@kubernetes/client-node";
import { startClock } from "../../lab/clock.ts";
import type { RealCluster } from "../../lab/real/cluster.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { openWorld } from "../../lab/world/world.ts";
import type { KubernetesSpeaker } from "../contracts/kubernetes.ts";
import type { WorkloadSpeaker } from "../contracts/workloads.ts";
import type { VolumeSpeaker } from "../contracts/velero-volumes.ts";
import { startVeleroStorage } from "../contracts/velero-storage.ts";

/** The slowest thing that a contract waits for is Velero's sync, once a minute, of what may have come a moment too late. */
const patienceMs = 150_000;
/** Whoever opened the cluster closes it. */
const close = () => Promise.resolve();

const configOf = ({ adminKubeconfig }: RealCluster): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromString(adminKubeconfig);
  return config;
};

export const kubernetesOf = (cluster: RealCluster): KubernetesSpeaker => ({
  kubeConfig: configOf(cluster),
  patienceMs,
  async forgetHistory() {
    await cluster.stop("api");
    await cluster.start("api");
  },
  close,
});

/** KWOK plays the kubelets: without it nobody speaks for the nodes. */
export const workloadsOf = (cluster: RealCluster): WorkloadSpeaker => ({ kubeConfig: configOf(cluster), patienceMs, silenceNodes: () => cluster.stop("kwok"), wakeNodes: () => cluster.start("kwok"), close });

export interface RealVelero {
  readonly speaker: VolumeSpeaker;
  /** Ends the storage. */
  close(): Promise<void>;
}

/** Installs Velero in a cluster that runs, with storage of its own. */
export async function veleroOn(cluster: RealCluster): Promise<RealVelero> {
  const world = openWorld(startClock({ startMs: Date.now(), rate: 1 }), noLatencies);
  const storage = await startVeleroStorage(world);
  const location = { name: "default", account: storage.account("plain"), url: storage.url("plain"), container: "velero", accessMode: "ReadWrite", isDefault: true } as const;
  const install = () => cluster.installVelero({ locations: [location], accountKeys: storage.accountKeys, validationSeconds: 10, syncPeriodSeconds: 10 });
  // A kind that was defined a moment ago may be answered "429 storage is (re)initializing".
  await install().catch(install);
  const speaker: VolumeSpeaker = {
    kubeConfig: configOf(cluster),
    patienceMs,
    // As the install names the keys.
    config: (store) => ({ storageAccount: storage.account(store), storageAccountKeyEnvVar: `LAB_KEY_OF_${storage.account(store).toUpperCase()}`, storageAccountURI: storage.url(store) }),
    container: (store, name) => storage.container(store, name),
    settled: () => storage.settled(),
    now: () => Date.now(),
    async stopVelero() {
      // Asked politely it would first end what it has begun; and once it has crashed nobody may start it again.
      await Promise.all([cluster.crash("velero"), cluster.stop("velero")]);
    },
    startVelero: () => cluster.start("velero"),
    writeFile: (namespace, claim, file, text) => cluster.writeVolumeFile(namespace, claim, file, Buffer.from(text)),
    async readFile(namespace, claim, file) {
      const bytes = await cluster.readVolumeFile(namespace, claim, file);
      return bytes === null ? null : Buffer.from(bytes).toString("utf8");
    },
    close,
  };
  return { speaker, close: () => storage.close() };
}
