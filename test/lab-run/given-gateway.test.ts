/** The way to clusters that know nothing of the lab's identities: the lab's own account speaks for the app, and for nobody by the caller's word. */
import https, { type Server } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Authority, openAuthority } from "../../lab/faces/certificates.ts";
import { openKubernetesGateway } from "../../lab/faces/kubernetes-gateway.ts";
import type { Listener } from "../../lab/faces/listen.ts";
import { labWorld } from "../kubernetes/region.ts";

let authority: Authority;
let server: Server;
let gateway: Listener;
let heard: IncomingHttpHeaders = {};

beforeAll(async () => {
  authority = await openAuthority();
  const tls = await authority.issue(["localhost"], ["127.0.0.1"]);
  server = https.createServer(tls, (request, response) => {
    heard = request.headers;
    response.end("{}");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  gateway = await openKubernetesGateway(labWorld(), {
    region: "northeurope",
    server: { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caPem: authority.caPem },
    place: { tls },
    isServing: () => true,
    speaksFor: async (authorization) => (authorization === "Bearer the-apps" ? { user: "the-app", authorization: "Bearer the-labs" } : null),
  });
});
afterAll(async () => {
  await gateway.close();
  server.close();
});

const ask = (headers: Readonly<Record<string, string>>) =>
  new Promise<IncomingHttpHeaders>((resolve, reject) => {
    const request = https.request(`${gateway.url}/version`, { ca: authority.caPem, agent: false, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(heard));
    });
    request.once("error", reject).end();
  });

test("whom the lab speaks for comes as that user, and the lab's token goes nowhere else", async () => {
  expect(await ask({ authorization: "Bearer the-apps", "Impersonate-User": "system:admin", "Impersonate-Group": "system:masters", "Impersonate-Extra-Scopes": "all" })).toMatchObject({ authorization: "Bearer the-labs", "impersonate-user": "the-app" });
  expect(Object.keys(heard).filter((name) => name.startsWith("impersonate-"))).toEqual(["impersonate-user"]);
});

test("who is nobody's passes with a login of their own, and as nobody else", async () => {
  expect(await ask({ authorization: "Bearer a-strangers", "Impersonate-User": "system:admin", "Impersonate-Group": "system:masters" })).toMatchObject({ authorization: "Bearer a-strangers" });
  expect(Object.keys(heard).filter((name) => name.startsWith("impersonate-"))).toEqual([]);
});
