import https from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openAuthority } from "../../lab/faces/certificates.ts";
import { openIngresses } from "../../lab/faces/ingress.ts";
import { listen } from "../../lab/faces/listen.ts";
import { httpsProbe } from "../../lab/faces/monitor.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { regions, type RegionName } from "../../lab/world/pair.ts";
import { openTraffic } from "../../lab/world/traffic.ts";
import { openWorld } from "../../lab/world/world.ts";
import { demo, type MemoryCluster, memoryCluster, readyPod, shop, shopVolume } from "./cluster-in-memory.ts";
import { recordedCluster } from "./recorded-cluster.ts";

const authority = await openAuthority();

interface Asked {
  readonly method?: string;
  readonly region?: RegionName;
  /** The name in the URL, in the certificate check and in the Host header. */
  readonly host?: string;
  readonly ca?: string;
}

async function open(weu: MemoryCluster = memoryCluster({ ...shop(), ...demo() }, shopVolume)) {
  const world = openWorld(startClock({ rate: 200 }), noLatencies);
  const neu = memoryCluster({});
  const ingresses = await openIngresses(world, { authority, objects: (region) => (region === "westeurope" ? weu : neu) });
  onTestFinished(() => ingresses.close());
  const ask = (path: string, { method = "GET", region = "westeurope", host = "shop.example.com", ca = authority.caPem }: Asked = {}) =>
    new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
      const { ingressAddress } = regions[region];
      const request = https.request(
        { host: ingressAddress, port: ingresses.port, path, method, servername: host, headers: { host: `${host}:${ingresses.port}` }, ca, agent: false, signal: AbortSignal.timeout(1_000) },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body }));
        },
      );
      request.on("error", reject);
      request.end();
    });
  return { world, weu, neu, ingresses, ask };
}

test("the storefront shows what its ConfigMap and its ready pods say, under the public name and its region's own", async () => {
  const { ask, weu } = await open();
  for (const host of ["shop.example.com", "weu.shop.example.com"]) {
    const { status, type, body } = await ask("/", { host });
    expect(status).toBe(200);
    expect(type).toBe("text/html; charset=utf-8");
    expect(body).toContain("<h1>Last day</h1>");
    expect(body).toContain("<dd>EUR</dd>");
    expect(body).toContain("<dd>westeurope</dd>");
    expect(body).toContain("<dd>2 of 5</dd>");
  }
  weu.put("v1/configmaps/shop/storefront", { data: { banner: "Black <b>Friday</b>", currency: "EUR", region: "westeurope" } });
  expect((await ask("/")).body).toContain("<h1>Black &lt;b&gt;Friday&lt;/b&gt;</h1>");
});

test.each([
  ["shop-hourly-20261121055809", "Winter sale", 3],
  ["shop-hourly-20261121055818", "Black Friday", 5],
  ["shop-hourly-20261121055825", "Last day", 5],
] as const)("the objects that Velero recorded in %s show the shop as it was", async (backup, banner, replicas) => {
  const { ask } = await open(await recordedCluster(backup, shopVolume));
  const { body } = await ask("/");
  expect(body).toContain(`<h1>${banner}</h1>`);
  expect(body).toContain(`<dd>${replicas} of ${replicas}</dd>`);
  expect((await ask("/orders")).body).toBe("order 1\norder 2\norder 3\n");
});

test("the objects that Velero recorded of the demo show its page", async () => {
  const { ask } = await open(await recordedCluster("demo-backup", {}));
  expect(await ask("/", { host: "demo.example.com" })).toMatchObject({ status: 200, body: "<h1>still here</h1>" });
});

test("a cluster without the Ingress object has nothing at that host", async () => {
  const { ask, weu } = await open();
  expect(await ask("/", { region: "northeurope", host: "neu.shop.example.com" })).toMatchObject({ status: 404 });
  weu.remove("networking.k8s.io/v1/ingresses/shop");
  expect((await ask("/")).body).toBe("no Ingress of this cluster has the host shop.example.com\n");
});

test.each([
  ["v1/services/shop/storefront", "there is no Service shop/storefront"],
  ["apps/v1/deployments/shop/storefront", "there is no Deployment behind Service shop/storefront"],
  ["v1/pods/shop/storefront", "no pod of Deployment shop/storefront is ready"],
  ["v1/configmaps/shop/storefront", "the settings of shop/storefront are missing"],
] as const)("without %s every path is 503 and says why", async (missing, why) => {
  const { ask, weu } = await open();
  weu.remove(missing);
  for (const path of ["/", "/healthz", "/orders"]) expect(await ask(path)).toMatchObject({ status: 503, body: `${why}\n` });
  expect(JSON.parse((await ask("/api/state")).body)).toMatchObject({ servedBy: "westeurope", up: false, why });
});

test("orders come from the volume behind the database's claim, line by line", async () => {
  const { ask, weu } = await open();
  expect(await ask("/orders")).toMatchObject({ status: 200, body: "order 1\norder 2\norder 3\n" });
  weu.volumes.set("shop/data-orders-0", {});
  expect(await ask("/orders"), "an empty volume is a database without orders").toMatchObject({ status: 200, body: "" });
  weu.volumes.clear();
  expect(await ask("/orders")).toMatchObject({ status: 503, body: "claim shop/data-orders-0 is not bound\n" });
  expect((await ask("/healthz")).status, "the storefront itself is up").toBe(200);
  weu.put("v1/pods/shop/orders-0", readyPod("shop", "orders-0", "orders", "False"));
  expect(await ask("/orders")).toMatchObject({ status: 503, body: "pod shop/orders-0 is not ready\n" });
  weu.remove("apps/v1/statefulsets/shop/orders");
  expect(await ask("/orders")).toMatchObject({ status: 503, body: "there is no StatefulSet shop/orders\n" });
});

test("the state holds all of it, for whoever watches", async () => {
  const { ask } = await open();
  expect(JSON.parse((await ask("/api/state")).body)).toEqual({
    servedBy: "westeurope",
    host: "shop.example.com",
    replicas: { ready: 2, wanted: 5 },
    up: true,
    config: { banner: "Last day", currency: "EUR", region: "westeurope" },
    orders: { up: true, lines: ["order 1", "order 2", "order 3"] },
  });
});

test("the demo's page is its ConfigMap, as long as a pod is ready", async () => {
  const { ask, weu } = await open();
  const host = "demo.example.com";
  expect(await ask("/", { host })).toMatchObject({ status: 200, body: "<h1>still here</h1>" });
  expect((await ask("/healthz", { host })).status).toBe(200);
  weu.remove("v1/pods/disaster-demo");
  expect(await ask("/", { host })).toMatchObject({ status: 503 });
  expect((await ask("/", { host, region: "northeurope" })).status).toBe(503);
});

test("a write is counted in the region that takes it, and only where the application runs", async () => {
  const { ask, weu, world } = await open();
  const writes = () => world.effects.filter(({ act }) => act === "app.write-accepted").map(({ key }) => key);
  expect((await ask("/orders", { method: "POST" })).status).toBe(201);
  expect(writes()).toEqual(["westeurope"]);
  weu.remove("v1/pods/shop/orders-0");
  expect((await ask("/orders", { method: "POST" })).status).toBe(503);
  expect((await ask("/orders", { method: "POST", region: "northeurope" })).status).toBe(404);
  world.setReach("westeurope", "reset");
  await expect(ask("/orders", { method: "POST" })).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(writes()).toEqual(["westeurope"]);
});

test("a certificate of the lab's own authority, good for the public name, and for no stranger", async () => {
  const { ask } = await open();
  await expect(ask("/", { ca: (await openAuthority()).caPem })).rejects.toThrow(/certificate|signature/);
  await expect(ask("/", { host: "other.example.com" })).rejects.toThrow("Hostname/IP does not match certificate's altnames");
});

test("a lost region's ingress says nothing of its own; blinded, something on the way speaks for it", async () => {
  const { ask, world } = await open();
  world.setReach("westeurope", "unavailable");
  expect((await ask("/healthz")).status).toBe(503);
  world.setReach("westeurope", "reset");
  await expect(ask("/healthz")).rejects.toThrow(/ECONNRESET|socket hang up/);
  world.inject({ call: "GET ingress/westeurope/healthz", kind: "blind" });
  expect((await ask("/healthz")).status).toBe(511);
  world.setReach("westeurope", "black-hole");
  await expect(ask("/healthz")).rejects.toThrow("aborted");
});

test("Traffic Manager's prober reaches each region's ingress over HTTPS and sees it lost and back", async () => {
  const { world, ingresses, neu } = await open();
  const traffic = openTraffic(world, httpsProbe(() => ingresses.port));
  onTestFinished(() => traffic.close());
  const seen = async (region: RegionName, monitor: string) => {
    await expect.poll(() => traffic.monitorStatus(region), { timeout: 5_000, interval: 10 }).toBe(monitor);
  };
  await seen("westeurope", "Online");
  world.inject({ call: "GET ingress/westeurope*", kind: "blind", times: Number.POSITIVE_INFINITY });
  traffic.update({ endpoints: { northeurope: { status: "Enabled" } } });
  await seen("northeurope", "Degraded");
  expect(traffic.monitorStatus("westeurope"), "who blinds an onlooker does not blind the prober").toBe("Online");
  world.setReach("westeurope", "black-hole");
  await seen("westeurope", "Degraded");
  for (const [path, object] of Object.entries(shop())) neu.put(path, object);
  await seen("northeurope", "Online");
  expect(traffic.answer().targets).toEqual(["neu.shop.example.com"]);
  world.setReach("westeurope", "up");
  await seen("westeurope", "Online");
});

test("a fixed port is taken in both regions or in none, and said plainly", async () => {
  const { world, weu } = await open();
  const other = await listen({ address: "127.0.0.12" }, () => {});
  onTestFinished(() => other.close());
  const { port } = other;
  await expect(openIngresses(world, { authority, objects: () => weu, port, chooseWith: "--port" })).rejects.toThrow(`port ${port} on 127.0.0.12 is in use by another program: free it or choose another with --port`);
  await (await listen({ address: "127.0.0.11", port }, () => {})).close();
});
