import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { type Authority, openAuthority } from "../../lab/faces/certificates.ts";
import { openDns } from "../../lab/faces/dns.ts";
import { listen, type Listener } from "../../lab/faces/listen.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import { primary, publicName, secondary, trafficManager } from "../../lab/world/pair.ts";
import { openTraffic } from "../../lab/world/traffic.ts";
import { openWorld } from "../../lab/world/world.ts";
import { openZones } from "../../lab/world/zones.ts";
import { openProbes } from "../../shared/azure/probes.ts";
import { probesContract } from "../contracts/probes.ts";

const world = openWorld(startClock(), noLatencies);
const zones = openZones(world);
const traffic = openTraffic(world, () => Promise.resolve(true));
let dns: Awaited<ReturnType<typeof openDns>>;
let authority: Authority;
const servers: Listener[] = [];

/** One port on the ingress addresses of both regions. */
beforeAll(async () => {
  authority = await openAuthority();
  dns = await openDns(world, { zones, traffic });
  const tls = await authority.issue([publicName, primary.ingressHost], [primary.ingressAddress]);
  let port = 0;
  for (const [address, place] of [[primary.ingressAddress, "here"], [secondary.ingressAddress, "there"]] as const) {
    const server = await listen({ address, port, tls }, (request, response) => {
      switch (request.url) {
        case "/503":
          return void response.writeHead(503).end("not now");
        case "/silent":
          return;
        case "/endless":
          return void Readable.from(endless()).pipe(response);
        default:
          return void response.end(`${request.headers.host} at ${place}`);
      }
    });
    servers.push(server);
    port = server.port;
  }
});
afterAll(async () => {
  traffic.close();
  await Promise.all([dns.close(), ...servers.map((server) => server.close())]);
});

function* endless() {
  for (;;) yield "x".repeat(65_536);
}

const openStage = () => {
  const port = servers[0]?.port ?? 0;
  return Promise.resolve({
    probes: openProbes({ dnsServers: [dns.server], trustedCa: authority.caPem }),
    url: `https://${publicName}:${port}/`,
    otherHost: secondary.ingressHost,
    addresses: [primary.ingressAddress],
    ttlSeconds: trafficManager.ttlSeconds,
    wrongNameUrl: `https://${secondary.ingressHost}:${port}/`,
    deadUrl: `https://${primary.ingressHost}:1/`,
    noName: "never.example.com",
  });
};

probesContract("probes over HTTPS and DNS", openStage);

test("the chain of the public name leads through Traffic Manager to a region", async () => {
  const { probes } = await openStage();
  expect(await probes.resolve(publicName)).toMatchObject({ chain: [trafficManager.fqdn, primary.ingressHost] });
});

test("a change of traffic is seen at the next question", async () => {
  const { probes, url } = await openStage();
  traffic.update({ endpoints: { westeurope: { status: "Disabled" }, northeurope: { status: "Enabled" } } });
  expect(await probes.get(url, { timeoutSeconds: 5 })).toMatchObject({ body: expect.stringContaining("at there") as string });
  traffic.update({ endpoints: { westeurope: { status: "Enabled" }, northeurope: { status: "Disabled" } } });
  expect(await probes.get(url, { timeoutSeconds: 5 })).toMatchObject({ body: expect.stringContaining("at here") as string });
});

test("an address is asked as it is, and its certificate must hold the address", async () => {
  const { probes } = await openStage();
  const [here, there] = servers;
  expect(await probes.get(here?.url ?? "", { timeoutSeconds: 5 })).toMatchObject({ kind: "answered", status: 200 });
  expect(await probes.get(there?.url ?? "", { timeoutSeconds: 5 })).toMatchObject({ kind: "no-answer", why: expect.stringContaining("certificate") as string });
});

test("an authority that is not trusted is no answer", async () => {
  const { url } = await openStage();
  const stranger = openProbes({ dnsServers: [dns.server] });
  expect(await stranger.get(url, { timeoutSeconds: 5 })).toMatchObject({ kind: "no-answer", untrusted: true, why: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED/) as string });
});

test("somebody with a certificate for another name is there and not trusted; a closed port is nobody", async () => {
  const { probes, wrongNameUrl, deadUrl } = await openStage();
  expect(await probes.get(wrongNameUrl, { timeoutSeconds: 5 })).toMatchObject({ kind: "no-answer", untrusted: true });
  expect(await probes.get(deadUrl, { timeoutSeconds: 5 })).not.toHaveProperty("untrusted");
});

test("name servers that are silent or confused are no answer for a page, and an error for a name", async () => {
  const { probes, url } = await openStage();
  const silence = world.inject({ call: "DNS*", kind: "effect-without-answer", times: Infinity });
  expect(await probes.get(url, { timeoutSeconds: 0.3 })).toMatchObject({ kind: "no-answer", why: expect.stringMatching(/within 0.3 s|ETIMEOUT/) as string });
  silence();
  world.inject({ call: "DNS*", kind: "blind", times: 2 });
  await expect(probes.resolve(publicName)).rejects.toMatchObject({ name: "WorldError", message: expect.stringContaining("ESERVFAIL") as string });
});
