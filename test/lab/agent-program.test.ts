/** The lease agent as it is deployed: the built program in a process of its own, at a cluster and a home account over HTTP, on the clock on the wall. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AddressInfo } from "node:net";
import { type LabPair, openPair } from "../../lab/pair-in-a-box.ts";
import { audiences } from "../../lab/world/identity.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { accounts, blobHost, primary } from "../../lab/world/pair.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openHome } from "../../shared/azure/home-blob.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { headName, newHead } from "../../shared/domain/ledger.ts";
import { leaseName, readLease, type Wish, wishName } from "../../shared/domain/lease.ts";
import { planName } from "../../shared/domain/plan-name.ts";
import type { Home } from "../../shared/ports.ts";
import { agentPlanText, fencing } from "../agent/stage.ts";
import { patience } from "./stage.ts";

const host = blobHost(accounts.home.name);
const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-agent-"));
const program = fileURLToPath(new URL("../../dist/agent/index.js", import.meta.url));
let pair: LabPair;
let home: Home;
let relay: Awaited<ReturnType<typeof openRelay>>;
let agent: ChildProcess;
let said: () => readonly { readonly event: string; readonly livez?: number }[];

/** The only way from the agent to home: cut, its connections break. */
async function openRelay(to: string) {
  let cut = false;
  const server = http.createServer((request, response) => {
    if (cut) return void request.socket.destroy();
    const onward = http.request(new URL(request.url ?? "/", to), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.once("error", () => response.destroy());
    request.pipe(onward);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut: (now: boolean) => void (cut = now), close: () => server.close() };
}

function start(): { readonly child: ChildProcess; readonly said: () => readonly { readonly event: string; readonly livez?: number }[] } {
  const { port } = new URL(pair.engines[primary.region].insideUrl ?? "");
  const env = { PATH: process.env["PATH"] ?? "", PLAN: "shop", CLUSTER_ID: primary.cluster.id, HOME_STORAGE_URL: `https://${host}`, ENDPOINT_HOSTS: JSON.stringify({ [host]: relay.url }), IDENTITY_ENDPOINT: pair.identity.tokenUrl, IDENTITY_HEADER: pair.identityHeader, KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: port, SERVICE_ACCOUNT_DIRECTORY: folder, HEALTH_PORT: "0" };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  return { child, said: () => out.split("\n").slice(0, -1).map((line) => JSON.parse(line) as { event: string; livez?: number }) };
}

beforeAll(async () => {
  pair = await openPair({ topology: "replicated", rate: 1, latencies: noLatencies });
  const credential = { getToken: async () => ({ token: (await pair.people.mint(audiences.storage)).token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  home = openHome(openBlobService(credential, openTransport(pair.hosts), 10), { url: `https://${host}`, container: "lifeboat" });
  relay = await openRelay(pair.frontUrl);
  writeFileSync(path.join(folder, "ca.crt"), pair.caPem);
  writeFileSync(path.join(folder, "namespace"), "default");
  writeFileSync(path.join(folder, "token"), await pair.engines[primary.region].operatorToken());
  await home.put(planName("shop"), agentPlanText().replace(/agent: \{.*\}/, "agent: { renewSeconds: 1, leaseSeconds: 5, closingSeconds: 10, marginSeconds: 3 }"));
  ({ child: agent, said } = start());
}, patience.up);
afterAll(async () => {
  agent.kill("SIGKILL");
  relay.close();
  await pair.close();
  rmSync(folder, { recursive: true, force: true });
}, patience.down);

const replicas = (): number | undefined => (pair.clusters[primary.region].get("apps/v1", "deployments", "shop", "storefront") as { spec?: { replicas?: number } } | null)?.spec?.replicas;
const stateNow = async () => readLease((await home.read(leaseName("shop")))?.body ?? "", "shop")?.state ?? null;
async function until(so: () => Promise<boolean> | boolean, about: string): Promise<void> {
  for (const giveUpAt = Date.now() + 40_000; !(await so()); await sleep(50)) if (Date.now() > giveUpAt) throw new Error(`it never came to this: ${about}; ${JSON.stringify(said().slice(-5))}`);
}
const asks = async (kind: Wish["kind"], epoch: number) => {
  await home.put(headName("shop"), JSON.stringify(kind === "close" ? fencing(epoch) : { ...newHead("shop"), epoch }));
  await home.put(wishName("shop"), JSON.stringify({ format: 1, plan: "shop", epoch, runId: `shop-${epoch}`, kind, at: pair.world.clock.now() } satisfies Wish));
};

describe("the agent as a program", { timeout: patience.test }, () => {
  test("renews its lease, keeps the plan in its namespace, and says that it lives", async () => {
    await until(async () => (await stateNow())?.kind === "serving", "it serves");
    expect(replicas()).toBe(5);
    expect(pair.clusters[primary.region].get("v1", "configmaps", "default", "lifeboat-agent-shop")).toMatchObject({ data: { "plan.yaml": expect.stringContaining("leaseSeconds: 5") } });
    const port = said().find(({ event }) => event === "agent.started")?.livez;
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  });

  test("closes the application for a run, and opens it when the run takes that back", async () => {
    await asks("close", 1);
    await until(async () => (await stateNow())?.kind === "closed", "it is closed");
    expect([replicas(), await stateNow(), pair.clusters[primary.region].list("v1", "pods", "shop")]).toMatchObject([0, { epoch: 1 }, []]);
    await asks("taken-back", 1);
    await until(async () => (await stateNow())?.kind === "serving", "it serves again");
    expect(replicas()).toBe(5);
  });

  test("closes by itself when home is silent for its lease, and not before, and opens when home is back", async () => {
    relay.cut(true);
    const cutAt = Date.now();
    await until(() => replicas() === 0, "it gives up");
    // Its last renewal began at most a second and an answer before the cut.
    expect(Date.now() - cutAt).toBeGreaterThan(3_000);
    relay.cut(false);
    await until(async () => (await stateNow())?.kind === "serving" && replicas() === 5, "it serves again");
  });

  test("stopped for longer than its lease, closes first when it goes on", async () => {
    const { effects } = pair.world;
    agent.kill("SIGSTOP");
    const from = effects.length;
    await sleep(6_000);
    expect(effects.slice(from).filter(({ key }) => key.startsWith(`${primary.region}/deployments/shop`))).toEqual([]);
    agent.kill("SIGCONT");
    const renewedAfter = () => effects.findIndex(({ act, key }, at) => at >= from && act.startsWith("blob.") && key.endsWith(leaseName("shop")));
    await until(() => renewedAfter() >= 0, "it renews");
    const closedAt = effects.findIndex(({ act, key }, at) => at >= from && act === "kubernetes.patched" && key === `${primary.region}/deployments/shop/storefront`);
    expect(closedAt).toBeGreaterThanOrEqual(from);
    expect(closedAt).toBeLessThan(renewedAfter());
    await until(() => replicas() === 5, "it opens again");
  });

  test("started anew while home is silent, closes by the plan that it kept; told to end, leaves everything as it is", async () => {
    agent.kill("SIGTERM");
    expect(await once(agent, "exit")).toEqual([0, null]);
    await sleep(6_000);
    expect(replicas()).toBe(5);
    relay.cut(true);
    ({ child: agent, said } = start());
    await until(() => replicas() === 0, "it closes");
  });
});

test("the program says every setting that is wrong, and ends", async () => {
  const child = spawn(process.execPath, [program], { env: { PATH: process.env["PATH"] ?? "", PLAN: "Shop", AZURE_FEDERATED_TOKEN_FILE: "/token" }, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  expect(await once(child, "exit")).toEqual([1, null]);
  for (const words of ["PLAN: must be", "CLUSTER_ID: is not set", "HOME_STORAGE_URL: is not set", "KUBERNETES_SERVICE_HOST: is not set", "AZURE_TENANT_ID: is not set beside"]) expect(out).toContain(words);
});

test("the manifest gives it rights to stop and to look, and to nothing else", () => {
  const objects = parseAllDocuments(readFileSync(new URL("../../agent/deploy.yaml", import.meta.url), "utf8")).map((document) => document.toJS() as { kind: string; metadata: { name: string; namespace?: string }; rules?: { resources: string[]; verbs: string[] }[]; spec?: { replicas?: number; strategy?: { type: string } } });
  const rules = objects.flatMap(({ rules = [] }) => rules);
  expect([...new Set(rules.flatMap(({ verbs }) => verbs))].sort()).toEqual(["create", "get", "list", "patch"]);
  expect(rules.filter(({ verbs }) => verbs.includes("create")).flatMap(({ resources }) => resources)).toEqual(["configmaps"]);
  expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
  for (const kind of ["kustomizations", "helmreleases", "applications", "deployments", "statefulsets", "cronjobs", "jobs", "schedules", "pods", "configmaps"]) expect(rules.some(({ resources }) => resources.includes(kind)), kind).toBe(true);
  expect(objects.find(({ kind }) => kind === "Deployment")?.spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
});
