/** What a deleted object controlled goes after it. */
import type { KubernetesObject } from "../object.ts";
import type { ControllerContext } from "./context.ts";
import { openQueue } from "./queue.ts";

export function runGarbage({ store }: ControllerContext): void {
  const orphaned = openQueue(store.clock, (uid) => {
    const owns = ({ metadata }: KubernetesObject) => metadata.ownerReferences?.some((reference) => reference.uid === uid) ?? false;
    for (const kind of store.kinds.all())
      for (const object of store.list(kind).filter(owns)) if (object.metadata.deletionTimestamp === undefined) store.remove(kind, object.metadata.namespace ?? "", object.metadata.name);
  });
  store.onChange(({ type, object }) => {
    if (type === "DELETED" && object.metadata.uid !== undefined) orphaned.add(object.metadata.uid);
  });
}
