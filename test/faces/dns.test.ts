import { once } from "node:events";
import { Resolver } from "node:dns/promises";
import net from "node:net";
import dnsPacket from "dns-packet";
import { expect, onTestFinished, test } from "vitest";
import { openDns } from "../../lab/faces/dns.ts";
import { openParts } from "./control-plane.ts";

async function open() {
  const { world, parts } = openParts({ probe: () => Promise.resolve(true) });
  const dns = await openDns(world, parts);
  onTestFinished(() => dns.close());
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([dns.server]);
  const codeOf = (asked: Promise<unknown>) =>
    asked.then(
      () => "answered",
      (error: NodeJS.ErrnoException) => error.code,
    );
  return { world, dns, resolver, codeOf, traffic: parts.traffic, zones: parts.zones };
}

const anyEtag = { ifMatch: null, ifNoneMatch: null };

test("the public name leads through Traffic Manager to the open region", async () => {
  const { resolver, traffic } = await open();
  expect(await resolver.resolveCname("shop.example.com")).toEqual(["shop-lifeboat.trafficmanager.net"]);
  expect(await resolver.resolve4("shop.example.com", { ttl: true })).toEqual([{ address: "127.0.0.11", ttl: 10 }]);
  traffic.update({ endpoints: { westeurope: { status: "Disabled" }, northeurope: { status: "Enabled" } } });
  expect(await resolver.resolve4("SHOP.example.COM")).toEqual(["127.0.0.12"]);
});

test("each region's own name and the demo's are there whatever Traffic Manager says", async () => {
  const { resolver, traffic } = await open();
  traffic.update({ status: "Disabled" });
  expect(await resolver.resolve4("weu.shop.example.com")).toEqual(["127.0.0.11"]);
  expect(await resolver.resolve4("neu.shop.example.com")).toEqual(["127.0.0.12"]);
  expect(await resolver.resolve4("demo.example.com")).toEqual(["127.0.0.11"]);
});

test("with every endpoint closed the public name leads to no one", async () => {
  const { resolver, traffic, codeOf } = await open();
  traffic.update({ endpoints: { westeurope: { status: "Disabled" } } });
  expect(await codeOf(resolver.resolve4("shop.example.com"))).toBe("ENOTFOUND");
  expect(await resolver.resolveCname("shop.example.com"), "the zone's own record stays").toEqual(["shop-lifeboat.trafficmanager.net"]);
});

test("a name that is there without an address, one that is not, and one that is not ours are told apart", async () => {
  const { resolver, codeOf } = await open();
  expect(await codeOf(resolver.resolve4("closed.example.com"))).toBe("ENODATA");
  expect(await codeOf(resolver.resolve6("weu.shop.example.com"))).toBe("ENODATA");
  expect(await codeOf(resolver.resolve4("nobody.example.com"))).toBe("ENOTFOUND");
  expect(await codeOf(resolver.resolve4("other.trafficmanager.net"))).toBe("ENOTFOUND");
  expect(await codeOf(resolver.resolve4("www.example.net"))).toBe("EREFUSED");
});

test("a record that is changed in the zone is answered so at once; a circle is an error, not for ever", async () => {
  const { resolver, zones, codeOf } = await open();
  zones.update("CNAME", "shop", { values: ["neu.shop.example.com"], ttlSeconds: 5 }, anyEtag);
  expect(await resolver.resolve4("shop.example.com")).toEqual(["127.0.0.12"]);
  zones.update("CNAME", "shop", { values: ["demo.example.com"] }, anyEtag);
  zones.update("CNAME", "demo", { values: ["shop.example.com"] }, anyEtag);
  expect(await codeOf(resolver.resolve4("shop.example.com"))).toBe("ESERVFAIL");
});

test("a blinded name cannot be resolved, a lost answer times out, each once", async () => {
  const { resolver, world, codeOf } = await open();
  world.inject({ call: "DNS A weu.shop.example.com", kind: "blind" });
  expect(await codeOf(resolver.resolve4("weu.shop.example.com"))).toBe("ESERVFAIL");
  world.inject({ call: "DNS A *", kind: "effect-without-answer", times: 1 });
  expect(await codeOf(resolver.resolve4("weu.shop.example.com"))).toBe("ETIMEOUT");
  expect(await codeOf(resolver.resolve4("weu.shop.example.com"))).toBe("answered");
});

test("the loss of both regions leaves the name servers alone", async () => {
  const { resolver, world } = await open();
  world.setReach("westeurope", "black-hole");
  world.setReach("northeurope", "reset");
  expect(await resolver.resolve4("shop.example.com")).toEqual(["127.0.0.11"]);
});

test("over TCP the whole chain comes with it, and an answer in the negative with its SOA", async () => {
  const { dns } = await open();
  const ask = async (name: string) => {
    const socket = net.connect(dns.port, dns.address);
    // In two pieces, as TCP may deliver it.
    const query = dnsPacket.streamEncode({ type: "query", id: 7, flags: dnsPacket.RECURSION_DESIRED, questions: [{ type: "A", name }] });
    socket.write(query.subarray(0, 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    socket.write(query.subarray(1));
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return dnsPacket.streamDecode(answer);
  };
  const found = await ask("shop.example.com");
  expect(found).toMatchObject({ id: 7, rcode: "NOERROR", flag_aa: true });
  expect(found.answers).toMatchObject([
    { type: "CNAME", name: "shop.example.com", data: "shop-lifeboat.trafficmanager.net", ttl: 30 },
    { type: "CNAME", name: "shop-lifeboat.trafficmanager.net", data: "weu.shop.example.com", ttl: 10 },
    { type: "A", name: "weu.shop.example.com", data: "127.0.0.11", ttl: 30 },
  ]);
  expect(found.authorities).toEqual([]);
  expect((await ask("nobody.example.com")).authorities).toMatchObject([{ type: "SOA", name: "example.com" }]);
});

test("a packet that is no question is left unanswered, and the server goes on", async () => {
  const { dns, resolver } = await open();
  const socket = net.connect(dns.port, dns.address);
  socket.write(Buffer.from([0, 3, 1, 2, 3]));
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.destroy();
  expect(await resolver.resolve4("weu.shop.example.com")).toEqual(["127.0.0.11"]);
  await dns.close();
  await dns.close();
});

test("a port in use is said plainly", async () => {
  const { dns, world, zones, traffic } = await open();
  await expect(openDns(world, { zones, traffic }, { port: dns.port, chooseWith: "--dns-port" })).rejects.toThrow(`port ${dns.port} on 127.0.0.1 is in use by another program: free it or choose another with --dns-port`);
});
