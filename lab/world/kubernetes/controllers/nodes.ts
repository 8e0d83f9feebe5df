/** Node objects, as many as there are machines. */
import { timestamp } from "../object.ts";
import { controllerManager } from "../store.ts";
import { listOf, type Node, workloadKinds } from "../workloads.ts";
import type { ControllerContext, Machine } from "./context.ts";

/** AKS puts this taint on a system pool that is for system pods only, as Microsoft recommends. */
const systemTaint = { key: "CriticalAddonsOnly", value: "true", effect: "NoSchedule" } as const;

/** Makes the Node objects equal to the machines: called at the start and whenever machines come, go or change. */
export function mirrorMachines(context: ControllerContext): void {
  const { store } = context;
  const machines = context.machines();
  const known = new Set(machines.map(({ name }) => name));
  for (const node of listOf(store, "nodes")) if (!known.has(node.metadata.name)) store.purge(workloadKinds.nodes, "", node.metadata.name);
  machines.forEach((machine, at) => {
    const before = store.get(workloadKinds.nodes, "", machine.name);
    const node = nodeOf(context, machine, at);
    if (!before) store.create(workloadKinds.nodes, node, controllerManager);
    else if (readiness(before as Node) !== (machine.ready ? "True" : "False")) store.change(workloadKinds.nodes, "", machine.name, (draft) => void (draft["status"] = node.status), controllerManager);
  });
}

const readiness = (node: Node) => node.status.conditions.find(({ type }) => type === "Ready")?.status;

function nodeOf({ region, store, allocatable }: ControllerContext, { name, pool, ready }: Machine, at: number): Node {
  const now = timestamp(store.clock.now());
  const room = { cpu: `${allocatable.cpuMillicores}m`, memory: "6Gi", pods: String(allocatable.pods), "ephemeral-storage": "118Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        agentpool: pool,
        "kubernetes.azure.com/agentpool": pool,
        "kubernetes.azure.com/mode": pool === "system" ? "system" : "user",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": `${region}-${(at % 3) + 1}`,
      },
    },
    spec: pool === "system" ? { taints: [systemTaint] } : {},
    status: {
      allocatable: room,
      capacity: room,
      addresses: [{ type: "InternalIP", address: `10.224.0.${4 + at}` }, { type: "Hostname", address: name }],
      nodeInfo: { architecture: "amd64", operatingSystem: "linux", kubeletVersion: "v1.34.4" },
      conditions: [
        ready
          ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status", lastTransitionTime: now }
          : { type: "Ready", status: "False", reason: "KubeletNotReady", message: "the machine does not answer", lastTransitionTime: now },
      ],
    },
  };
}
