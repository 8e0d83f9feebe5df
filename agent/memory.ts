/** What an agent must know when it starts while home is silent: kept beside it, in a ConfigMap of its own namespace. */
import { kinds } from "../shared/domain/kinds.ts";
import type { Cluster } from "../shared/ports.ts";
import type { Memory } from "./parts.ts";

const key = "plan.yaml";

/** One for each plan. Throws what the cluster throws. */
export function openMemory(cluster: Cluster, namespace: string, plan: string): Memory {
  const name = `lifeboat-agent-${plan}`;
  return {
    async recall() {
      const found = await cluster.get(kinds.configMaps, namespace, name);
      const { [key]: text } = (found?.["data"] ?? {}) as Readonly<Record<string, string>>;
      return text ?? null;
    },
    async keep(planText) {
      const data = { [key]: planText };
      if ((await cluster.patch(kinds.configMaps, namespace, name, { data })) !== null) return;
      await cluster.create(kinds.configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data });
    },
  };
}
