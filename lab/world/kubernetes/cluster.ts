/** One region's Kubernetes cluster: its store, what is on its volumes, and the controllers that keep it moving. */
import type { ClusterObject, ClusterObjects } from "../cluster-objects.ts";
import type { RegionName } from "../pair.ts";
import type { LabWorld } from "../world.ts";
import { runClaims } from "./controllers/claims.ts";
import type { Allocatable, ControllerContext, Machine } from "./controllers/context.ts";
import { runDaemonSets } from "./controllers/daemon-sets.ts";
import { runDeployments } from "./controllers/deployments.ts";
import { runEndpoints } from "./controllers/endpoints.ts";
import { runGarbage } from "./controllers/garbage.ts";
import { runNamespaces } from "./controllers/namespaces.ts";
import { mirrorMachines } from "./controllers/nodes.ts";
import { runPods } from "./controllers/pods.ts";
import { runReplicaSets } from "./controllers/replica-sets.ts";
import { runStatefulSets } from "./controllers/stateful-sets.ts";
import { runStatuses } from "./controllers/statuses.ts";
import { controllerManager, openStore, type Store } from "./store.ts";
import { openVolumeFiles, type VolumeFiles } from "./volume-files.ts";
import { getOf, workloadKinds } from "./workloads.ts";

export interface ClusterOptions {
  /** The machines as they are now. */
  readonly machines: () => readonly Machine[];
  /** Calls back whenever they change. */
  readonly onMachines: (call: () => void) => void;
  /** Of every node alike. Default: what AKS leaves of two cores to applications, and its 30 pods. */
  readonly allocatable?: Allocatable;
}

export interface Cluster extends ClusterObjects {
  readonly region: RegionName;
  readonly store: Store;
  readonly files: VolumeFiles;
  /** Starts the controllers. Called once, when the cluster holds what it begins with. */
  run(): void;
}

/** AKS reserves 100 millicores of a node with two cores, and its own daemons (kube-proxy, network, disks, agents) ask for about 350 more on each. */
const twoCores: Allocatable = { cpuMillicores: 1_550, pods: 30 };
/** The namespaces of every cluster. */
const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

export function openCluster(world: LabWorld, region: RegionName, { machines, onMachines, allocatable = twoCores }: ClusterOptions): Cluster {
  const store = openStore(world.clock);
  const files = openVolumeFiles();
  const context: ControllerContext = { world, region, store, files, allocatable, machines };
  for (const name of systemNamespaces) store.create(workloadKinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, controllerManager);
  mirrorMachines(context);
  onMachines(() => mirrorMachines(context));

  return {
    region,
    store,
    files,
    run() {
      runNamespaces(context);
      runGarbage(context);
      runStatuses(context);
      runEndpoints(context);
      runClaims(context);
      runDeployments(context);
      runReplicaSets(context);
      runStatefulSets(context);
      runDaemonSets(context);
      runPods(context);
    },
    get(apiVersion, plural, namespace, name): ClusterObject | null {
      const kind = store.kinds.find(apiVersion, plural);
      return kind && store.get(kind, namespace, name);
    },
    list(apiVersion, plural, namespace): readonly ClusterObject[] {
      const kind = store.kinds.find(apiVersion, plural);
      return kind ? store.list(kind, namespace) : [];
    },
    volumeFiles(namespace, claim) {
      const { spec, status } = getOf(store, "claims", namespace, claim) ?? {};
      return spec?.volumeName === undefined || status?.phase !== "Bound" ? null : files.read(spec.volumeName);
    },
  };
}
