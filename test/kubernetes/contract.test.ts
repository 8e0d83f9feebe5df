/** The double of the Kubernetes API, held to the contract that a real one keeps too (test/real/contracts.test.ts). */
import { controllerManager } from "../../lab/world/kubernetes/store.ts";
import { workloadKinds } from "../../lab/world/kubernetes/workloads.ts";
import { describeKubernetesContract } from "../contracts/kubernetes.ts";
import { labWorld, runningCluster, serve } from "./region.ts";

/** More changes than a cluster of the lab remembers. */
const forgotten = 20_001;

describeKubernetesContract("the lab's Kubernetes API", async () => {
  const world = labWorld();
  const cluster = runningCluster(world);
  const { kubeConfig, close } = await serve(world, cluster);
  return {
    kubeConfig,
    patienceMs: 5_000,
    close,
    async forgetHistory() {
      cluster.store.create(workloadKinds.configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", name: "restless" } }, controllerManager);
      for (let at = 0; at < forgotten; at += 1) cluster.store.change(workloadKinds.configMaps, "default", "restless", (draft) => void (draft["data"] = { at: String(at) }), controllerManager);
    },
  };
});
