/** What an object of a backup would take of a ResourceQuota, by the names that quotas have. */
import { arrayOf, recordOf } from "./loose.ts";
import { quantityOf } from "./quantity.ts";

/** In base units; `null`: it says nothing of it, so what it would take depends on the cluster's defaults. */
export type Demand = Readonly<Record<string, number | null>>;

/** `requests.cpu`, `limits.memory` … of a pod, `requests.storage` of a claim; nothing for other kinds, and for pods that have ended: Velero leaves those out. */
export function demandOf(kind: string, object: Readonly<Record<string, unknown>>): Demand {
  const spec = recordOf(object["spec"]);
  if (kind === "PersistentVolumeClaim") return { "requests.storage": quantityOf(recordOf(recordOf(spec["resources"])["requests"])["storage"]) };
  if (kind !== "Pod" || /^(Succeeded|Failed)$/.test(String(recordOf(object["status"])["phase"]))) return {};
  return { "requests.cpu": ofPod(spec, "requests", "cpu"), "requests.memory": ofPod(spec, "requests", "memory"), "limits.cpu": ofPod(spec, "limits", "cpu"), "limits.memory": ofPod(spec, "limits", "memory") };
}

/** All containers run at once; of those that only begin, the largest counts (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers). */
function ofPod(spec: Readonly<Record<string, unknown>>, what: "requests" | "limits", resource: string): number | null {
  const begins = arrayOf(spec["initContainers"]).map(recordOf);
  const stays = (container: Readonly<Record<string, unknown>>) => container["restartPolicy"] === "Always";
  const running = [...arrayOf(spec["containers"]).map(recordOf), ...begins.filter(stays)].map((container) => ofContainer(container, what, resource));
  const beginning = begins.filter((container) => !stays(container)).map((container) => ofContainer(container, what, resource));
  if ([...running, ...beginning].includes(null)) return null;
  const sum = running.reduce<number>((all, each) => all + (each ?? 0), 0);
  return Math.max(sum, ...beginning.map((each) => each ?? 0)) + (quantityOf(recordOf(spec["overhead"])[resource]) ?? 0);
}

/** Who gives a limit and no request asks for as much. */
function ofContainer(container: Readonly<Record<string, unknown>>, what: "requests" | "limits", resource: string): number | null {
  const resources = recordOf(container["resources"]);
  return quantityOf(recordOf(resources[what])[resource]) ?? (what === "requests" ? quantityOf(recordOf(resources["limits"])[resource]) : null);
}
