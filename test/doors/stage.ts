/** The app's own doors on the embedded host, over real HTTP, with a world in memory behind them. The primary is dark, so a run that is opened stays in its confirmation. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { type DurableEngine, openEngine } from "../../lab/host/durable/engine.ts";
import { type Host, openHost } from "../../lab/host/host.ts";
import type { LogRecord } from "../../lab/host/log.ts";
import type { Config } from "../../shared/config.ts";
import type { Role } from "../../shared/domain/people.ts";
import { memoryWorld } from "../activities/memory-world.ts";
import { exampleText } from "../domain/example-plans.ts";

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed, whatever the content type. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TokenOptions {
  readonly name?: string;
  readonly audience?: string;
  readonly issuer?: string;
  readonly lifeSeconds?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signed by somebody else's key. */
  readonly forged?: boolean;
}

const issuer = "https://login.microsoftonline.com/00000000-0000-0000-0000-00000000000a/v2.0";
const audience = "api://lifeboat-doors";
const key = "doors-test-key-opens-nothing-else";

/** Call once in a test file, while it is read. */
export function doors() {
  const memory = memoryWorld();
  const clock = startClock({ startMs: Date.parse("2026-11-21T06:05:00Z"), rate: 1 });
  Object.defineProperty(memory.time, "now", { get: () => clock.now() });
  memory.state.probe = (_url, connectTo) => (connectTo === undefined ? { kind: "answered", status: 200, body: "", durationMs: 1 } : { kind: "no-answer", why: "dark", durationMs: 1 });
  const log: LogRecord[] = [];
  const state = mkdtempSync(path.join(tmpdir(), "lifeboat-doors-"));
  const keyServer = { status: 200, body: "" };
  let host: Host;
  let engine: DurableEngine;
  let sign: Record<"ours" | "theirs", Awaited<ReturnType<typeof generateKeyPair>>["privateKey"]>;
  let number = 0;

  const server = createServer((_request, response) => response.writeHead(keyServer.status, { "content-type": "application/json" }).end(keyServer.body));
  beforeAll(async () => {
    const [ours, theirs] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
    sign = { ours: ours.privateKey, theirs: theirs.privateKey };
    keyServer.body = JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: "doors", use: "sig", alg: "RS256" }] });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const never = "0 0 0 29 2 *";
    const config: Config = {
      home: { url: "https://sthome.blob.core.windows.net", container: "lifeboat" },
      identityClientId: null,
      people: { issuer, audience, jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` },
      backupSources: [],
      schedules: { verification: never, watchdog: never },
      dnsServers: [],
      endpointHosts: {},
    };
    (globalThis as unknown as { doors: unknown }).doors = { config, world: memory.world };
    host = await openHost({ appDirectory: fileURLToPath(new URL("app", import.meta.url)), stateDirectory: state, clock, port: 0, environment: process.env, keys: { master: key, functions: { default: key } }, openEngine: async (options) => (engine = await openEngine(options)), log: (record) => log.push(record) });
  });
  afterAll(async () => {
    await host.close();
    server.close();
    rmSync(state, { recursive: true, force: true });
  });
  // A plan and its runs of its own for every test: instances of earlier ones are still about.
  let plan = "";
  beforeEach(async () => {
    memory.home.blobs.clear();
    memory.home.reachable = true;
    log.length = 0;
    plan = `shop${++number}`;
    await putPlan(plan);
  });

  async function putPlan(name: string, change = (text: string) => text): Promise<void> {
    await memory.home.put(`plans/${name}.yaml`, change(exampleText("shop-replicated").replace("plan: shop\n", `plan: ${name}\n`)));
  }

  async function ask(method: string, route: string, { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Answered> {
    const sent = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const response = await fetch(`${host.url}/api/${route}`, { method, headers: { "content-type": "application/json", ...headers }, ...(sent === undefined ? {} : { body: sent }) });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: answer === "" ? {} : (JSON.parse(answer) as Record<string, unknown>) };
  }

  async function token(roles: readonly Role[], { name = "Ada Operator", audience: to = audience, issuer: from = issuer, lifeSeconds = 3_600, claims = {}, forged = false }: TokenOptions = {}): Promise<string> {
    const now = Math.floor(clock.now() / 1_000);
    return new SignJWT({ name, oid: `oid-${name}`, sub: `sub-${name}`, scp: "user_impersonation", roles: [...roles], ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "doors" })
      .setIssuer(from)
      .setAudience(to)
      .setIssuedAt(now - 7_200)
      .setExpirationTime(now + lifeSeconds)
      .sign(forged ? sign.theirs : sign.ours);
  }

  const bearer = async (roles: readonly Role[], options: TokenOptions = {}): Promise<Record<string, string>> => ({ authorization: `Bearer ${await token(roles, options)}` });

  return {
    ...memory,
    log,
    keyServer,
    plan: () => plan,
    putPlan,
    ask,
    url: () => host.url,
    bearer,
    alert: async (body: unknown, headers: Readonly<Record<string, string>> = { "x-functions-key": key }) => ask("POST", "alerts", { body, headers }),
    /** Lets the watchdog look now, and waits until it has. */
    async watchdog(): Promise<void> {
      const looked = () => log.filter(({ message }) => message.includes("watchdog.looked")).length;
      const before = looked();
      await fetch(`${host.url}/admin/functions/watchdog-due`, { method: "POST", headers: { "x-functions-key": key } });
      for (const until = Date.now() + 10_000; looked() === before; await new Promise((resolve) => setTimeout(resolve, 20))) if (Date.now() > until) throw new Error("the watchdog did not look");
    },
    /** A manual failover, right in all it does not change. */
    startRun: async (body: Readonly<Record<string, unknown>> = {}, { ifMatch = '"0"', ...more }: { readonly ifMatch?: string | null; readonly authorization?: string } = {}) =>
      ask("POST", "runs", { body: { plan, confirm: plan, reason: "the region is dark", ...body }, headers: { ...(await bearer(["operator"])), ...more, ...(ifMatch === null ? {} : { "if-match": ifMatch }) } }),
    /** The durable instances of this test's plan. */
    instances: (): readonly string[] => [...engine.eventCounts().keys()].filter((id) => id.startsWith(`${plan}-`)),
  };
}
