/**
 * The ingress of each region: HTTPS on an address of its own and one common port, showing only what that region's cluster holds.
 * Faults are asked as `GET ingress/westeurope/healthz`, and as `PROBE ingress/westeurope` where Traffic Manager's prober asks.
 */
import type { IncomingMessage } from "node:http";
import { type Backend, backendOf, demoName } from "../world/application.ts";
import type { ClusterObjects } from "../world/cluster-objects.ts";
import { primary, publicName, type RegionName, type RegionNames, secondary } from "../world/pair.ts";
import type { LabWorld } from "../world/world.ts";
import { type Answer, json, text } from "./answer.ts";
import type { Authority } from "./certificates.ts";
import { bodyOf, handle } from "./handle.ts";
import { CannotListen, listen, type Listener } from "./listen.ts";
import { proberAgent } from "./monitor.ts";
import { storefrontPage } from "./storefront-page.ts";

export interface IngressOptions {
  readonly authority: Authority;
  readonly objects: (region: RegionName) => ClusterObjects;
  /** 0, the default: any port that is free in both regions. */
  readonly port?: number;
  readonly chooseWith?: string;
}

export interface Ingresses {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens both or none. Throws a `CannotListen` when a fixed port cannot be had. */
export async function openIngresses(world: LabWorld, { authority, objects, port = 0, chooseWith }: IngressOptions): Promise<Ingresses> {
  const tls = await authority.issue([publicName, demoName, primary.ingressHost, secondary.ingressHost], [primary.ingressAddress, secondary.ingressAddress]);
  const open = ({ region, ingressAddress: address }: RegionNames, port: number) =>
    listen({ address, port, tls, ...(chooseWith === undefined ? {} : { chooseWith }) }, (request, response) => {
      const { call, mutating } = callOf(request, region);
      void handle(world, { call, region, mutating }, request, response, ({ blind }) => {
        // The words of RFC 6585 for what stands between: neither the application nor its region has spoken.
        if (blind) return text(511, "Network Authentication Required: a proxy on the way wants to know who asks");
        return answered(world, region, objects(region), request);
      });
    });
  for (let attempt = 1; ; attempt += 1) {
    const first = await open(primary, port);
    const second = await open(secondary, first.port).catch(async (error: unknown): Promise<Listener | null> => {
      await first.close();
      // A port that is free on one address may be taken on the other: another will do, unless this one was asked for.
      if (port === 0 && attempt < 5 && error instanceof CannotListen) return null;
      throw error;
    });
    if (second) return { port: first.port, close: async () => void (await Promise.all([first.close(), second.close()])) };
  }
}

function callOf(request: IncomingMessage, region: RegionName): { readonly call: string; readonly mutating: boolean } {
  if (request.headers["user-agent"] === proberAgent) return { call: `PROBE ingress/${region}`, mutating: false };
  return { call: `${request.method} ingress/${region}${pathOf(request)}`, mutating: request.method === "POST" };
}

const pathOf = ({ url = "/" }: IncomingMessage) => url.split("?", 1)[0] ?? "/";
const hostOf = ({ headers }: IncomingMessage) => (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();

async function answered(world: LabWorld, region: RegionName, objects: ClusterObjects, request: IncomingMessage): Promise<Answer> {
  await bodyOf(request);
  const host = hostOf(request);
  const backend = backendOf(objects, host);
  switch (backend.kind) {
    case "none":
      return text(404, `no Ingress of this cluster has the host ${host}\n`);
    case "down":
      return pathOf(request) === "/api/state" ? json(503, stateOf(region, host, backend)) : text(503, `${backend.why}\n`);
    case "page":
      return pathOf(request) === "/healthz" ? text(200, "ok\n") : text(200, backend.html, "text/html; charset=utf-8");
    case "shop":
      return shopAnswer(world, region, host, backend, request);
  }
}

function shopAnswer(world: LabWorld, region: RegionName, host: string, shop: Extract<Backend, { kind: "shop" }>, request: IncomingMessage): Answer {
  const { orders } = shop;
  switch (`${request.method} ${pathOf(request)}`) {
    case "GET /":
      return text(200, storefrontPage(shop), "text/html; charset=utf-8");
    case "GET /healthz":
      return text(200, "ok\n");
    case "GET /orders":
      return orders.kind === "down" ? text(503, `${orders.why}\n`) : text(200, orders.lines.map((line) => `${line}\n`).join(""));
    case "POST /orders":
      if (orders.kind === "down") return text(503, `${orders.why}\n`);
      // Counted, not kept: what matters is where a write was taken, and volumes belong to the cluster.
      world.record("app.write-accepted", region);
      return text(201, "accepted\n");
    case "GET /api/state":
      return json(200, stateOf(region, host, shop));
    default:
      return text(404, `the shop has nothing at ${pathOf(request)}\n`);
  }
}

/** All that can be seen from outside, for whoever watches the lab. `servedBy` is the region that answered, `config.region` what the application was told. */
function stateOf(region: RegionName, host: string, backend: Extract<Backend, { kind: "shop" | "down" }>) {
  const { ready, wanted } = backend;
  const seen = { servedBy: region, host, replicas: { ready, wanted } };
  if (backend.kind === "down") return { ...seen, up: false, why: backend.why };
  const { config, orders } = backend;
  return { ...seen, up: true, config, orders: orders.kind === "down" ? { up: false, why: orders.why } : { up: true, lines: orders.lines } };
}
