/** What Velero and the controllers of a real cluster do, told to the world's log of effects in the double's words: read off the objects as they change. */
import type { ApiObject } from "../real/api.ts";
import type { RegionName } from "../world/pair.ts";
import type { LabWorld } from "../world/world.ts";

interface Rule {
  readonly plural: string;
  readonly act: string;
  /** Whether the object is so now. The act is told once for each time it becomes so. */
  readonly holds: (object: ApiObject) => boolean;
  readonly named: (object: ApiObject) => string;
}

const phaseOf = ({ status }: ApiObject) => (status as { readonly phase?: string } | undefined)?.phase ?? "";
const rules: readonly Rule[] = [
  { plural: "restores", act: "velero.restore-started", holds: (restore) => !["", "New"].includes(phaseOf(restore)), named: ({ metadata }) => metadata.name },
  { plural: "backups", act: "velero.backup-completed", holds: (backup) => phaseOf(backup) === "Completed" && ownOf(backup), named: ({ metadata }) => metadata.name },
  { plural: "pods", act: "pod.ready", holds: isReady, named: ({ metadata }) => `${metadata.namespace}/${metadata.name}` },
];

/** Made here, and not imported from a storage location: what is imported is `Completed` when it comes. */
const ownOf = ({ metadata }: ApiObject) => metadata.labels?.["velero.io/storage-location"] !== "replica";

/** Whether a pod is. */
export function isReady({ status }: ApiObject): boolean {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  return conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
}

/** Takes a kind's objects whenever they have changed. Between two looks nothing is seen: what came and went meanwhile is not told. */
export function seenEffects(world: LabWorld, region: RegionName): (plural: string, now: ReadonlyMap<string, ApiObject>) => void {
  const holding = new Map<string, Set<string>>();
  return (plural, now) => {
    for (const rule of rules) {
      if (rule.plural !== plural) continue;
      const before = holding.get(rule.act) ?? new Set<string>();
      const after = new Set<string>();
      for (const object of now.values()) {
        if (!rule.holds(object)) continue;
        // By uid: one that was deleted and made anew is another one.
        const id = object.metadata.uid ?? object.metadata.name;
        after.add(id);
        if (!before.has(id)) world.record(rule.act, `${region}/${rule.named(object)}`);
      }
      holding.set(rule.act, after);
    }
  };
}
