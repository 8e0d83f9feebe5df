/** What the lab's name servers say of a name, from the zone and from Traffic Manager. */
import dnsPacket, { type Answer as Resource, type DecodedPacket, type Question } from "dns-packet";
import { dnsZone, trafficManager } from "../world/pair.ts";
import type { Traffic } from "../world/traffic.ts";
import type { LabWorld } from "../world/world.ts";
import type { Zones } from "../world/zones.ts";

/** Who knows the names. */
export interface Names {
  readonly zones: Zones;
  readonly traffic: Traffic;
}

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
type Rcode = keyof typeof rcodes;

interface Found {
  readonly rcode: Rcode;
  readonly answers: readonly Resource[];
}

/**
 * The packet that answers a packet; `null`: none does. Faults are asked as `DNS A weu.shop.example.com`; there is no work here to do or
 * to lose, so `effect-without-answer` is silence, and `refused-503` and `blind` are SERVFAIL.
 */
export async function answerTo(world: LabWorld, names: Names, message: Buffer): Promise<Buffer | null> {
  const query = decoded(message);
  const question = query?.questions?.[0];
  if (!query || query.type !== "query" || !question) return null;
  const fault = world.takeFault({ call: `DNS ${question.type} ${question.name.toLowerCase()}`, thing: "", by: "" });
  if (fault?.kind === "effect-without-answer") return null;
  if (fault?.kind === "slow") await world.clock.sleep(fault.delayMs ?? 0);
  const { rcode, answers } = fault?.kind === "refused-503" || fault?.kind === "blind" ? { rcode: "SERVFAIL" as const, answers: [] } : resolved(names, question);
  // Said again by a client that asks for recursion: the lab's servers are authoritative and resolver in one.
  const flags = rcodes[rcode] | dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.RECURSION_AVAILABLE | ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED);
  // RFC 2308: a negative answer carries the SOA.
  const negative = rcode === "NXDOMAIN" || (rcode === "NOERROR" && !answers.some(({ type }) => type === question.type));
  return dnsPacket.encode({
    type: "response",
    id: query.id ?? 0,
    flags,
    questions: [question],
    answers: [...answers],
    authorities: negative ? [authority] : [],
  });
}

function decoded(message: Buffer): DecodedPacket | null {
  try {
    return dnsPacket.decode(message);
  } catch {
    return null;
  }
}

/** Where negative answers come from; its minimum is how long they may be kept (RFC 2308). */
const authority: Resource = {
  type: "SOA",
  name: dnsZone.name,
  ttl: 10,
  data: { mname: `ns1.${dnsZone.name}`, rname: `hostmaster.${dnsZone.name}`, serial: 1, refresh: 3600, retry: 300, expire: 2_419_200, minimum: 10 },
};

/** Longer chains than this are a circle. */
const chainMax = 8;

/** Follows the chain of names as a resolver would; what was found on the way is part of the answer. */
function resolved(names: Names, { name, type }: Question): Found {
  const answers: Resource[] = [];
  let current = name.toLowerCase();
  for (let length = 0; length < chainMax; length += 1) {
    const step = lookedUp(names, current);
    if (step.kind !== "found") return { rcode: answers.length > 0 && step.kind === "REFUSED" ? "NOERROR" : step.kind, answers };
    const { cname, addresses, ttlSeconds: ttl } = step;
    if (cname === null) {
      if (type === "A") answers.push(...addresses.map((data): Resource => ({ type: "A", name: current, ttl, data })));
      return { rcode: "NOERROR", answers };
    }
    answers.push({ type: "CNAME", name: current, ttl, data: cname });
    if (type === "CNAME") return { rcode: "NOERROR", answers };
    current = cname.toLowerCase();
  }
  return { rcode: "SERVFAIL", answers: [] };
}

type LookedUp = { readonly kind: "found"; readonly cname: string | null; readonly addresses: readonly string[]; readonly ttlSeconds: number } | { readonly kind: "NXDOMAIN" | "REFUSED" };

function lookedUp({ zones, traffic }: Names, name: string): LookedUp {
  if (name === trafficManager.fqdn) {
    const { targets, ttlSeconds } = traffic.answer();
    // With every endpoint or the profile disabled Traffic Manager says that the name does not exist.
    return targets[0] === undefined ? { kind: "NXDOMAIN" } : { kind: "found", cname: targets[0], addresses: [], ttlSeconds };
  }
  if (name.endsWith(".trafficmanager.net")) return { kind: "NXDOMAIN" };
  if (name === dnsZone.name) return { kind: "found", cname: null, addresses: [], ttlSeconds: 0 };
  if (!name.endsWith(`.${dnsZone.name}`)) return { kind: "REFUSED" };
  const sets = zones.named(name.slice(0, -dnsZone.name.length - 1));
  const [set] = sets;
  if (!set) return { kind: "NXDOMAIN" };
  const cname = sets.find(({ type }) => type === "CNAME")?.values[0] ?? null;
  return { kind: "found", cname, addresses: sets.filter(({ type }) => type === "A").flatMap(({ values }) => values), ttlSeconds: set.ttlSeconds };
}
