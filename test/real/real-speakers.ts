/** Real clusters and a real Velero as the contracts reach them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { startClock } from "../../lab/clock.ts";
import { startRealCluster, type RealCluster } from "../../lab/real/cluster.ts";
import { realPrograms } from "../../lab/real/programs.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { openWorld } from "../../lab/world/world.ts";
import type { KubernetesSpeaker } from "../contracts/kubernetes.ts";
import { startVeleroStorage } from "../contracts/velero-storage.ts";
import type { VeleroSpeaker } from "../contracts/velero-speaker.ts";

/** The slowest thing that a contract waits for is Velero's sync, once a minute; three of them is a failure. */
const patienceMs = 180_000;
const nodes = ["aks-user-1-vmss000000", "aks-user-1-vmss000001"];

/** A cluster in a folder of its own, both gone when it is closed. */
export async function openRealCluster(): Promise<RealCluster> {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-real-"));
  const programs = await realPrograms({ tell: (line) => process.stderr.write(`${line}\n`) });
  const cluster = await startRealCluster({ programs, directory, region: "northeurope", nodes });
  const close = async () => {
    await cluster.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return Object.assign(Object.create(cluster) as RealCluster, { close });
}

const configOf = ({ adminKubeconfig }: RealCluster): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromString(adminKubeconfig);
  return config;
};

/** The API of a cluster that runs. */
export const kubernetesOf = (cluster: RealCluster): KubernetesSpeaker => ({
  kubeConfig: configOf(cluster),
  patienceMs,
  async forgetHistory() {
    await cluster.stop("api");
    await cluster.start("api");
  },
  close: () => Promise.resolve(),
});

/** Velero in a cluster that runs, and storage for it. */
export async function veleroOn(cluster: RealCluster): Promise<VeleroSpeaker> {
  const world = openWorld(startClock({ startMs: Date.now(), rate: 1 }), noLatencies);
  const storage = await startVeleroStorage(world);
  const location = { name: "default", account: storage.account("plain"), url: storage.url("plain"), container: "velero", accessMode: "ReadWrite", isDefault: true } as const;
  await cluster.installVelero({ locations: [location], accountKeys: storage.accountKeys, validationSeconds: 10, syncPeriodSeconds: 10 });
  return {
    kubeConfig: configOf(cluster),
    patienceMs,
    config: (store) => ({ storageAccount: storage.account(store), storageAccountKeyEnvVar: `LAB_KEY_OF_${storage.account(store).toUpperCase()}`, storageAccountURI: storage.url(store) }),
    container: (store, name) => storage.container(store, name),
    settled: () => storage.settled(),
    now: () => Date.now(),
    stopVelero: () => cluster.stop("velero"),
    startVelero: () => cluster.start("velero"),
    close: () => storage.close(),
  };
}
