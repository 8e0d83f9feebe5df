/** Node objects, as many as there are machines. */
import { timestamp } from "../object.ts";
import { controllerManager } from "../store.ts";
import { type Condition, listOf, type Node, workloadKinds } from "../workloads.ts";
import type { ControllerContext, Machine } from "./context.ts";

/** AKS puts this taint on a system pool that is for system pods only, as Microsoft recommends. */
const systemTaint = { key: "CriticalAddonsOnly", value: "true", effect: "NoSchedule" } as const;

/** What Kubernetes puts on a node that fell silent, and on one that has not spoken yet. */
const unreachable = "node.kubernetes.io/unreachable";
const notReady = "node.kubernetes.io/not-ready";

/** Makes the Node objects equal to the machines: called at the start and whenever machines come, go or change. */
export function mirrorMachines(context: ControllerContext): void {
  const { store } = context;
  const machines = context.machines();
  const known = new Set(machines.map(({ name }) => name));
  for (const node of listOf(store, "nodes")) if (!known.has(node.metadata.name)) store.purge(workloadKinds.nodes, "", node.metadata.name);
  machines.forEach((machine, at) => {
    const before = store.get(workloadKinds.nodes, "", machine.name) as Node | null; // of that kind
    const state = machine.ready ? "ready" : before && before.status.conditions.some(({ type, status }) => type === "Ready" && status !== "False") ? "silent" : "new";
    const node = nodeOf(context, machine, at, state);
    if (!before) store.create(workloadKinds.nodes, node, controllerManager);
    else if (!sameReadiness(before, node))
      store.change(workloadKinds.nodes, "", machine.name, (draft) => {
        draft["status"] = node.status;
        draft["spec"] = node.spec;
      }, controllerManager);
  });
}

const readiness = (node: Node) => node.status.conditions.find(({ type }) => type === "Ready")?.status;
const sameReadiness = (a: Node, b: Node) => readiness(a) === readiness(b);

type State = "ready" | "silent" | "new";

const said: Readonly<Record<State, Omit<Condition, "lastTransitionTime" | "type">>> = {
  ready: { status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
  silent: { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." },
  new: { status: "False", reason: "KubeletNotReady", message: "the machine does not answer" },
};

function taintsOf(pool: string, state: State): readonly { readonly key: string; readonly effect: string; readonly value?: string }[] {
  const key = state === "silent" ? unreachable : notReady;
  return [...(pool === "system" ? [systemTaint] : []), ...(state === "ready" ? [] : [{ key, effect: "NoSchedule" }, { key, effect: "NoExecute" }])];
}

function nodeOf({ region, store, allocatable }: ControllerContext, { name, pool }: Machine, at: number, state: State): Node {
  const taints = taintsOf(pool, state);
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
    spec: taints.length > 0 ? { taints } : {},
    status: {
      allocatable: room,
      capacity: room,
      addresses: [{ type: "InternalIP", address: `10.224.0.${4 + at}` }, { type: "Hostname", address: name }],
      nodeInfo: { architecture: "amd64", operatingSystem: "linux", kubeletVersion: "v1.34.4" },
      conditions: [{ type: "Ready", ...said[state], lastTransitionTime: now }],
    },
  };
}
