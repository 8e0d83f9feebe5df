/** A plain CNAME in Azure DNS (@azure/arm-dns), for plans without Traffic Manager. It points at one place at a time. */
import { DnsManagementClient, type RecordSet } from "@azure/arm-dns";
import { type PlanTraffic, type TrafficEnd, type TrafficState, WorldError } from "../ports.ts";
import { type Arm, armOptions, perSubscription } from "./arm.ts";
import { azureCall } from "./azure-call.ts";
import { parseResourceId } from "./resource-id.ts";

export type DnsPlan = Extract<PlanTraffic, { readonly kind: "dns" }>;

export function openDns(arm: Arm) {
  const clientOf = perSubscription((subscription) => new DnsManagementClient(arm.credential, subscription, armOptions(arm)));
  const at = (recordSet: string) => {
    const { subscription, resourceGroup, names } = parseResourceId(recordSet);
    const [zone, name = "@"] = names;
    return { client: clientOf(subscription), resourceGroup, zone, name, thing: `${name}.${zone}` };
  };
  const read = async ({ recordSet }: DnsPlan) => {
    const { client, resourceGroup, zone, name, thing } = at(recordSet);
    return azureCall("read record", thing, arm.deadlineSeconds, (abortSignal) => client.recordSets.get(resourceGroup, zone, name, "CNAME", { abortSignal }));
  };
  /** Points the record at `target` if it points at one of `from` now, and only if nobody changed it in between. */
  const point = async (traffic: DnsPlan, target: string, from: readonly string[] | "anywhere") => {
    const record = await read(traffic);
    if (pointsAt(record, target) || (from !== "anywhere" && !from.some((place) => pointsAt(record, place)))) return;
    const { client, resourceGroup, zone, name, thing } = at(traffic.recordSet);
    if (record.etag === undefined) throw new WorldError("point record", thing, "it was read without an etag, and is not changed without one");
    const { etag: ifMatch } = record;
    const change = { ttl: traffic.ttlSeconds, cnameRecord: { cname: target } };
    await azureCall("point record", thing, arm.deadlineSeconds, (abortSignal) => client.recordSets.update(resourceGroup, zone, name, "CNAME", change, { ifMatch, abortSignal }));
  };

  return {
    async read(traffic: DnsPlan): Promise<TrafficState> {
      const record = await read(traffic);
      const end = (target: string): TrafficEnd => ({ open: pointsAt(record, target), monitor: "none" });
      return { primary: end(traffic.targets.primary), secondary: end(traffic.targets.secondary) };
    },
    // Both are about the primary alone: a record that already leads to the secondary stays there.
    closePrimary: (traffic: DnsPlan) => point(traffic, traffic.targets.closed, [traffic.targets.primary]),
    reopenPrimary: (traffic: DnsPlan) => point(traffic, traffic.targets.primary, [traffic.targets.closed]),
    openSecondary: (traffic: DnsPlan) => point(traffic, traffic.targets.secondary, "anywhere"),
  };
}

const pointsAt = ({ cnameRecord }: RecordSet, target: string) => plainName(cnameRecord?.cname ?? "") === plainName(target);
/** Names are the same in either case and with or without the root's dot. */
const plainName = (name: string) => name.toLowerCase().replace(/\.$/, "");
