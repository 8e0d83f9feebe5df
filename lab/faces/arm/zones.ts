/** Microsoft.Network/dnsZones: record sets of type A and CNAME, with ETags. */
import { z } from "zod";
import { dnsZone } from "../../world/pair.ts";
import type { Condition, RecordSet, RecordType, RecordWish, Zones } from "../../world/zones.ts";
import { type Answer, json } from "../answer.ts";
import { type ArmRequest, type ArmRoute, idOf, inGroup, notFound, refusal, withBody } from "./route.ts";

const type = "microsoft.network/dnszones";

export function zoneRoutes(zones: Zones): readonly ArmRoute[] {
  return (["A", "CNAME"] as const).flatMap((record) => {
    const route = (method: ArmRoute["method"], work: (name: string, request: ArmRequest) => Answer): ArmRoute => ({
      method,
      path: `${inGroup}/${type}/{zone}/${record.toLowerCase()}/{name}`,
      call: `${method} dnsZones/${record}`,
      mutating: method !== "GET",
      region: () => null,
      work: (request) => (idOf(request.names, type, request.names["zone"]) === dnsZone.id.toLowerCase() ? work(request.names["name"] ?? "", request) : notFound(request.path)),
    });
    return [
      route("GET", (name, { path }) => {
        const set = zones.get(record, name);
        return set ? json(200, recordBody(set)) : notFound(path);
      }),
      route("PATCH", (name, request) =>
        withBody(recordSet, request.body, ({ properties }) => {
          const answer = zones.update(record, name, wishOf(record, properties), conditionOf(request));
          // 200 and nothing else: another success is an error to the client.
          return answer.kind === "refused" ? refusal(answer) : json(200, recordBody(answer.set));
        }),
      ),
      route("PUT", (name, request) =>
        withBody(recordSet, request.body, ({ properties }) => {
          const answer = zones.put(record, name, { ttlSeconds: 3600, values: [], ...wishOf(record, properties) }, conditionOf(request));
          return answer.kind === "refused" ? refusal(answer) : json(answer.created ? 201 : 200, recordBody(answer.set));
        }),
      ),
    ];
  });
}

const recordSet = z.object({
  properties: z.object({
    TTL: z.number().optional(),
    ARecords: z.array(z.object({ ipv4Address: z.ipv4() })).optional(),
    CNAMERecord: z.object({ cname: z.string().min(1) }).optional(),
  }),
});

function wishOf(record: RecordType, { TTL, ARecords, CNAMERecord }: z.infer<typeof recordSet>["properties"]): Partial<RecordWish> {
  const values = record === "A" ? ARecords?.map(({ ipv4Address }) => ipv4Address) : CNAMERecord && [CNAMERecord.cname.replace(/\.$/, "")];
  return { ...(TTL === undefined ? {} : { ttlSeconds: TTL }), ...(values === undefined ? {} : { values }) };
}

const conditionOf = ({ header }: ArmRequest): Condition => ({ ifMatch: header("if-match"), ifNoneMatch: header("if-none-match") });

function recordBody({ type: record, name, ttlSeconds, values, eTag }: RecordSet) {
  return {
    id: `${dnsZone.id}/${record}/${name}`,
    name,
    type: `Microsoft.Network/dnszones/${record}`,
    etag: eTag,
    properties: {
      fqdn: `${name}.${dnsZone.name}.`,
      TTL: ttlSeconds,
      provisioningState: "Succeeded",
      targetResource: {},
      ...(record === "A" ? { ARecords: values.map((ipv4Address) => ({ ipv4Address })) } : values[0] === undefined ? {} : { CNAMERecord: { cname: values[0] } }),
    },
  };
}
