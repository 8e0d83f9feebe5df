/** The DNS zone example.com as Azure keeps it: record sets with an ETag each. */
import { randomUUID } from "node:crypto";
import { controlAddress, controlName, dnsZone, publicName, regions, trafficManager } from "./pair.ts";
import { type Refusal, refused } from "./refusal.ts";
import type { LabWorld } from "./world.ts";

export type RecordType = "A" | "CNAME";

export interface RecordSet {
  readonly type: RecordType;
  /** Relative to the zone: `shop`, `weu.shop`. */
  readonly name: string;
  readonly ttlSeconds: number;
  /** Addresses of an A, the one target of a CNAME; empty: the name is there and leads nowhere. */
  readonly values: readonly string[];
  readonly eTag: string;
}

export interface RecordWish {
  readonly ttlSeconds: number;
  readonly values: readonly string[];
}

/** A condition on the write, as the headers If-Match and If-None-Match give it. */
export interface Condition {
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
}

export interface Zones {
  get(type: RecordType, name: string): RecordSet | null;
  /** All record sets of a name, of whatever type. */
  named(name: string): readonly RecordSet[];
  /** Changes what is there: a field not given stays. */
  update(type: RecordType, name: string, wish: Partial<RecordWish>, condition: Condition): { readonly kind: "written"; readonly set: RecordSet; readonly created: false } | Refusal;
  /** Puts the whole, there before or not. */
  put(type: RecordType, name: string, wish: RecordWish, condition: Condition): { readonly kind: "written"; readonly set: RecordSet; readonly created: boolean } | Refusal;
}

export function openZones(world: LabWorld): Zones {
  const sets = new Map<string, RecordSet>();
  const keyOf = (type: RecordType, name: string) => `${type}/${name}`.toLowerCase();
  const write = (type: RecordType, name: string, wish: RecordWish): RecordSet => {
    const set: RecordSet = { type, name: name.toLowerCase(), ...wish, eTag: randomUUID() };
    sets.set(keyOf(type, name), set);
    return set;
  };
  const change = (type: RecordType, name: string, wish: RecordWish) => {
    const before = sets.get(keyOf(type, name));
    const set = write(type, name, wish);
    if (before?.ttlSeconds !== set.ttlSeconds || before.values.join() !== set.values.join())
      world.record("dns.record-updated", `${type}/${name}.${dnsZone.name}`, { from: before?.values ?? [], to: set.values, ttlSeconds: set.ttlSeconds });
    return set;
  };

  write("CNAME", publicName.replace(`.${dnsZone.name}`, ""), { ttlSeconds: 30, values: [trafficManager.fqdn] });
  for (const { ingressHost, ingressAddress } of Object.values(regions)) write("A", ingressHost.replace(`.${dnsZone.name}`, ""), { ttlSeconds: 30, values: [ingressAddress] });
  // Where plans without Traffic Manager point the public name while the primary is fenced.
  write("A", "closed", { ttlSeconds: 30, values: [] });
  write("A", controlName.replace(`.${dnsZone.name}`, ""), { ttlSeconds: 30, values: [controlAddress] });
  write("CNAME", "demo", { ttlSeconds: 30, values: [regions.westeurope.ingressHost] });

  return {
    get: (type, name) => sets.get(keyOf(type, name)) ?? null,
    named: (name) => [...sets.values()].filter((set) => set.name === name.toLowerCase()),
    update(type, name, wish, condition) {
      const before = sets.get(keyOf(type, name));
      if (!before) return refused(404, "NotFound", `the zone ${dnsZone.name} has no ${type} record set ${name}`);
      const whole = { ttlSeconds: wish.ttlSeconds ?? before.ttlSeconds, values: wish.values ?? before.values };
      const no = refusedWrite(type, name, whole, before, condition);
      return no ?? { kind: "written", set: change(type, name, whole), created: false };
    },
    put(type, name, wish, condition) {
      const before = sets.get(keyOf(type, name)) ?? null;
      const no = refusedWrite(type, name, wish, before, condition);
      return no ?? { kind: "written", set: change(type, name, wish), created: before === null };
    },
  };
}

function refusedWrite(type: RecordType, name: string, { ttlSeconds, values }: RecordWish, before: RecordSet | null, { ifMatch, ifNoneMatch }: Condition): Refusal | null {
  const where = `${type} record set ${name} of ${dnsZone.name}`;
  if (ifNoneMatch === "*" && before) return refused(412, "PreconditionFailed", `the ${where} exists already`);
  if (ifMatch !== null && ifMatch !== "*" && ifMatch !== before?.eTag) return refused(412, "PreconditionFailed", `the etag of the ${where} is ${before?.eTag ?? "none"}, not ${ifMatch}`);
  if (ifMatch === "*" && !before) return refused(412, "PreconditionFailed", `there is no ${where}`);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1) return refused(400, "BadRequest", `the ${where} needs a TTL of at least 1 second`);
  if (type === "CNAME" && values.length > 1) return refused(400, "BadRequest", `the ${where} has at most one target`);
  return null;
}
