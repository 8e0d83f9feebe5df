/** What must hold after every run, whatever was killed or failed in between: read off the world's own log of effects. */
import type { Effect } from "./world/world.ts";

/** Acts that a run does once to one thing. Those left out happen many times by nature: probes seen, blobs and logs written, pods made by controllers. */
const onceEach: readonly { readonly act: string; readonly about?: RegExp }[] = [
  { act: "storage.policy-deleted" },
  { act: "storage.account-failed-over" },
  { act: "aks.started" },
  { act: "aks.pool-raised" },
  { act: "velero.restore-started" },
  { act: "velero.backup-completed" },
  { act: "kubernetes.created", about: /\/(restores|backups|schedules|podvolumebackups|configmaps|backupstoragelocations)\// },
  { act: "kubernetes.deleted", about: /\/(restores|backups|podvolumebackups)\// },
];

export interface Twice {
  readonly act: string;
  readonly key: string;
  readonly times: number;
}

/** Effects that became true more than once. An endpoint's status counts by the value it was given. */
export function appliedTwice(effects: readonly Effect[]): readonly Twice[] {
  const times = new Map<string, { act: string; key: string; times: number }>();
  for (const { act, key, detail } of effects) {
    const counted = onceEach.some((rule) => rule.act === act && (rule.about === undefined || rule.about.test(key)));
    const switched = act === "traffic.endpoint-updated" || act === "dns.record-updated";
    if (!counted && !switched) continue;
    const name = switched ? `${key}=${JSON.stringify(detail)}` : key;
    const known = times.get(`${act} ${name}`) ?? { act, key: name, times: 0 };
    known.times += 1;
    times.set(`${act} ${name}`, known);
  }
  return [...times.values()].filter((effect) => effect.times > 1);
}
