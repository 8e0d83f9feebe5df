/**
 * The way to a real API server: requests pass unchanged, answers too. On the way the lab sees what the double's face sees, so that a lost
 * region, injected faults and the checks of a run mean the same with either: who asked for what, and what was changed by it.
 */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { RegionName } from "../world/pair.ts";
import type { LabWorld } from "../world/world.ts";
import { type Answer, json } from "./answer.ts";
import { bodyOf, handle } from "./handle.ts";
import { listen, type Listener, type Place } from "./listen.ts";

export interface KubernetesGatewayOptions {
  readonly region: RegionName;
  /** The API server behind it. */
  readonly server: { readonly url: string; readonly caPem: string };
  /** With `tls`, over HTTPS. */
  readonly place: Place;
  /** A stopped AKS cluster has no API server. */
  readonly isServing: () => boolean;
  /** For whom a caller passes on the far side, where its own login means nothing; `null`, as without this: the login passes unchanged. */
  readonly speaksFor?: (authorization: string | undefined) => Promise<SpokenFor | null>;
}

/** Impersonation, as Kubernetes has it: what the user may do, its RBAC decides. */
export interface SpokenFor {
  readonly user: string;
  /** Of who speaks. */
  readonly authorization: string;
}

export async function openKubernetesGateway(world: LabWorld, { region, server, place, isServing, speaksFor = async () => null }: KubernetesGatewayOptions): Promise<Listener> {
  const agent = new https.Agent({ ca: server.caPem, keepAlive: true });
  const listener = await listen(place, (request, response) => {
    if (!isServing()) return void request.socket.destroy();
    const method = request.method ?? "GET";
    const url = new URL(request.url ?? "/", server.url);
    const target = targetOf(url);
    const isWatch = ["1", "true"].includes(url.searchParams.get("watch") ?? "");
    const call = callName(isWatch ? "WATCH" : method, url.pathname, target);
    const thing = target === null ? region : `${region}/${target.namespace}/${target.name ?? ""}`;
    void handle(world, { call, thing, region, mutating: method !== "GET" }, request, response, async ({ blind }) => {
      if (blind) return unavailable;
      const answer = await passed(request, url, { server, agent, spoken: await speaksFor(request.headers.authorization) }).catch((error: Error) => {
        // As whoever is connected to an API server sees it end.
        request.socket.destroy();
        return json(502, { message: error.message });
      });
      if (target !== null && method !== "GET") tell(world, region, target, method, answer);
      return answer;
    });
  });
  return {
    ...listener,
    async close() {
      await listener.close();
      agent.destroy();
    },
  };
}

const unavailable = json(503, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "the server is currently unable to handle the request", reason: "ServiceUnavailable", code: 503 });

interface Target {
  /** `v1` for the core. */
  readonly group: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string | null;
  readonly subresource: string;
}

const resourcePath = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** `null`: no path of a resource. `/api/v1/namespaces/shop` is the Namespace `shop`, not what is in it. */
function targetOf({ pathname }: URL): Target | null {
  const asNamespace = /^\/api\/v1\/namespaces\/([^/]+)(?:\/(status|finalize))?$/.exec(pathname);
  if (asNamespace) return { group: "v1", plural: "namespaces", namespace: "", name: decodeURIComponent(asNamespace[1] ?? ""), subresource: asNamespace[2] ?? "" };
  const [matched, group, version = "", namespace = "", plural = "", name, subresource = ""] = resourcePath.exec(pathname) ?? [];
  if (matched === undefined) return null;
  return { group: group ?? version, plural, namespace: decodeURIComponent(namespace), name: name === undefined ? null : decodeURIComponent(name), subresource };
}

/** As the double's face names a call: `POST velero.io/restores`, `PATCH apps/deployments`, `POST v1/configmaps`, `GET readyz`. */
function callName(method: string, path: string, target: Target | null): string {
  if (target === null) return `${method} ${path.replace(/^\//, "")}`;
  return `${method} ${target.group}/${target.plural}${target.subresource === "" ? "" : `/${target.subresource}`}`;
}

/** Of this hop only. */
const notPassed = new Set(["connection", "host", "keep-alive", "transfer-encoding", "expect", "content-length"]);

interface Onward {
  readonly server: KubernetesGatewayOptions["server"];
  readonly agent: https.Agent;
  readonly spoken: SpokenFor | null;
}

async function passed(request: IncomingMessage, url: URL, { server: { url: server }, agent, spoken }: Onward): Promise<Answer> {
  const method = request.method ?? "GET";
  // Read whole, as the API server reads it: at most 3 MiB.
  const body = method === "GET" || method === "HEAD" ? "" : await bodyOf(request, 4 * 1024 * 1024);
  const headers: http.OutgoingHttpHeaders = {};
  // Whom it speaks for is said here, and by nobody else.
  for (const [name, value] of Object.entries(request.headers)) if (!notPassed.has(name) && !name.startsWith("impersonate-")) headers[name] = value;
  if (body !== "") headers["content-length"] = Buffer.byteLength(body);
  if (spoken !== null) Object.assign(headers, { authorization: spoken.authorization, "impersonate-user": spoken.user });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const onward = https.request(new URL(`${url.pathname}${url.search}`, server), { method, agent, headers }, resolve);
    onward.on("error", reject);
    onward.end(body);
  });
  const kept = Object.fromEntries(Object.entries(answer.headers).filter((entry): entry is [string, string] => typeof entry[1] === "string" && !notPassed.has(entry[0])));
  if (method === "GET") return { status: answer.statusCode ?? 502, headers: kept, body: answer };
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: answer.statusCode ?? 502, headers: kept, body: Buffer.concat(chunks).toString("utf8") };
}

const acts: Readonly<Record<string, string>> = { POST: "created", PATCH: "patched", PUT: "patched", DELETE: "deleted" };

/** Tells the world what became true by a call of a client, as the API server said it. */
function tell(world: LabWorld, region: RegionName, { plural, namespace, name, subresource }: Target, method: string, { status, body }: Answer): void {
  const act = acts[method];
  if (act === undefined || status >= 300 || subresource !== "") return;
  world.record(`kubernetes.${act}`, `${region}/${plural}/${namespace}/${name ?? nameIn(body)}`);
}

function nameIn(body: Answer["body"]): string {
  if (typeof body !== "string") return "";
  const { metadata } = JSON.parse(body) as { readonly metadata?: { readonly name?: string } };
  return metadata?.name ?? "";
}
