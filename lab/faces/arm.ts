/** management.azure.com of the lab: who calls, what is called, whether its region answers; the providers do the rest. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Accounts } from "../world/accounts.ts";
import type { Aks } from "../world/aks.ts";
import type { Health } from "../world/health.ts";
import { audiences, type Caller, type Identity } from "../world/identity.ts";
import type { RegionName } from "../world/pair.ts";
import type { Traffic } from "../world/traffic.ts";
import type { LabWorld } from "../world/world.ts";
import type { Zones } from "../world/zones.ts";
import type { Answer } from "./answer.ts";
import { accountRoutes } from "./arm/accounts.ts";
import { clusterRoutes } from "./arm/clusters.ts";
import { healthRoutes } from "./arm/health.ts";
import { type ArmRoute, failure, type Names } from "./arm/route.ts";
import { trafficRoutes } from "./arm/traffic.ts";
import { zoneRoutes } from "./arm/zones.ts";
import { bodyOf, handle } from "./handle.ts";
import { listen, type Listener, type Place } from "./listen.ts";

export interface ArmParts {
  readonly aks: Aks;
  readonly accounts: Accounts;
  readonly traffic: Traffic;
  readonly zones: Zones;
  readonly health: Health;
  readonly identity: Identity;
  /** The kubeconfig of a region's cluster, for `listClusterUserCredential`; see `kubeconfigYaml`. */
  readonly kubeconfig: (region: RegionName) => string;
}

/** One call to the control plane, as it came and as it went. */
export interface ArmCall {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** As faults name it; `null`: there is no such call. */
  readonly call: string | null;
  readonly mutating: boolean;
  readonly region: RegionName | null;
  readonly ifMatch: string | null;
  /** `null`: nobody that was let in, or nobody asked who it was. */
  readonly caller: Caller | null;
  /** `null`: never answered, or not yet. */
  readonly status: number | null;
}

export interface Arm extends Listener {
  /** The last ten thousand calls, oldest first: the proof of what was and was not asked. */
  readonly audit: readonly ArmCall[];
}

const auditMax = 10_000;

export async function openArm(world: LabWorld, parts: ArmParts, place: Place = {}): Promise<Arm> {
  const routes = [
    ...clusterRoutes(parts.aks, parts.kubeconfig),
    ...trafficRoutes(parts.traffic),
    ...zoneRoutes(parts.zones),
    ...accountRoutes(parts.accounts),
    ...healthRoutes(parts.health),
  ].map((route) => ({ route, match: matcher(route.path) }));
  const audit: { -readonly [K in keyof ArmCall]: ArmCall[K] }[] = [];

  const listener = await listen(place, (request, response) => {
    const asked = readAsked(request, routes);
    const { route, names } = asked;
    const entry = {
      at: world.clock.now(),
      method: request.method ?? "GET",
      path: asked.url.pathname,
      call: route?.call ?? null,
      mutating: route?.mutating ?? false,
      region: route?.region(names) ?? null,
      ifMatch: request.headers["if-match"] ?? null,
      caller: null as Caller | null,
      status: null as number | null,
    };
    audit.push(entry);
    if (audit.length > auditMax) audit.shift();
    response.once("finish", () => void (entry.status = response.statusCode));

    const call = { call: route?.call ?? "unknown ARM call", thing: entry.path, region: entry.region, mutating: entry.mutating, takesMs: world.latencies.armCall };
    void handle(world, call, request, response, async ({ blind }) => {
      const checked = await parts.identity.check(request.headers.authorization, audiences.arm);
      if (checked.kind === "accepted") entry.caller = checked.caller;
      const no = stopped(asked, checked);
      return withIds(no ?? (await done(request, asked, blind)));
    });
  });
  return { ...listener, audit };
}

interface Asked {
  readonly url: URL;
  readonly route: ArmRoute | null;
  readonly names: Names;
}

function readAsked(request: IncomingMessage, routes: readonly { readonly route: ArmRoute; readonly match: (segments: readonly string[]) => Names | null }[]): Asked {
  const url = new URL(request.url ?? "/", "https://management.azure.com");
  const segments = url.pathname.toLowerCase().split("/").map(decoded);
  for (const { route, match } of routes) {
    const names = route.method === request.method ? match(segments) : null;
    if (names) return { url, route, names };
  }
  return { url, route: null, names: {} };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function matcher(path: string): (segments: readonly string[]) => Names | null {
  const parts = path.split("/");
  return (segments) => {
    if (segments.length !== parts.length) return null;
    const names: Record<string, string> = {};
    for (const [at, part] of parts.entries()) {
      const segment = segments[at] ?? "";
      if (part.startsWith("{")) names[part.slice(1, -1)] = segment;
      else if (part !== segment) return null;
    }
    return names;
  };
}

/** What ARM itself says no to, before any provider is asked. */
function stopped({ url, route }: Asked, checked: Awaited<ReturnType<Identity["check"]>>): Answer | null {
  if (checked.kind === "refused") {
    return failure(401, "InvalidAuthenticationToken", checked.why, { "www-authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token"' });
  }
  if (!url.searchParams.get("api-version")) return failure(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.");
  if (!route) return failure(404, "InvalidResourceType", `The lab has nothing at ${url.pathname}.`);
  if (route.mutating && checked.caller === "observer") {
    return failure(403, "AuthorizationFailed", `The client 'observer' does not have authorization to perform action '${route.call}' over scope '${url.pathname}'.`);
  }
  return null;
}

async function done(request: IncomingMessage, { url, route, names }: Asked, blind: boolean): Promise<Answer> {
  const text = await bodyOf(request);
  let body: unknown = null;
  try {
    if (text !== "") body = JSON.parse(text);
  } catch {
    return failure(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: it is not JSON.");
  }
  const forwarded = request.headers["x-forwarded-host"];
  const host = typeof forwarded === "string" ? forwarded : (request.headers.host ?? "management.azure.com");
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === "string" ? value : null;
  };
  const asked = { names, path: url.pathname, query: url.searchParams, header, body, base: `https://${host}`, apiVersion: url.searchParams.get("api-version") ?? "", blind };
  return route ? route.work(asked) : failure(404, "InvalidResourceType", `The lab has nothing at ${url.pathname}.`);
}

function withIds(answer: Answer): Answer {
  const id = randomUUID();
  return {
    ...answer,
    headers: {
      "x-ms-request-id": id,
      "x-ms-correlation-request-id": id,
      "x-ms-ratelimit-remaining-subscription-reads": "11999",
      "x-ms-ratelimit-remaining-subscription-writes": "1199",
      ...answer.headers,
    },
  };
}
