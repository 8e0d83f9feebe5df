import http from "node:http";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTransport, retarget } from "../../shared/azure/transport.ts";
import { openScriptedServer, type ScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
let other: ScriptedServer;
beforeAll(async () => {
  [server, other] = await Promise.all([openScriptedServer(), openScriptedServer()]);
  server.say({ status: 200, body: { from: "server" } });
  other.say({ status: 200, body: { from: "other" } });
});
afterAll(() => Promise.all([server.close(), other.close()]));

test("a listed host is reached at its other address, and the request is afterwards as it was", async () => {
  const transport = openTransport({ "management.azure.com": server.url });
  // As the proxy policy leaves it behind: every request of its would fail.
  const agent = new http.Agent();
  Object.assign(agent, { createConnection: () => expect.unreachable("the agent was used") });
  const request = createPipelineRequest({ url: "https://management.azure.com/subscriptions/s1?api-version=1&x=%2F" });
  request.agent = agent;
  const answer = await transport.sendRequest(request);
  expect(answer.bodyAsText).toBe('{"from":"server"}');
  expect(server.asked.at(-1)).toMatchObject({ url: "/subscriptions/s1?api-version=1&x=%2F", headers: { "x-forwarded-host": "management.azure.com" } });
  expect(request).toMatchObject({ url: "https://management.azure.com/subscriptions/s1?api-version=1&x=%2F", allowInsecureConnection: false });
  expect(request.agent).toBe(agent);
});

test("the request is as it was also when nothing answered", async () => {
  const transport = openTransport({ "management.azure.com": "http://127.0.0.1:1" });
  const request = createPipelineRequest({ url: "https://management.azure.com/x" });
  await expect(transport.sendRequest(request)).rejects.toThrow("ECONNREFUSED");
  expect(request.url).toBe("https://management.azure.com/x");
});

test("a host that is not listed is reached where it is, listed ones beside it or none", async () => {
  for (const hosts of [{ "management.azure.com": server.url }, {}]) {
    const answer = await openTransport(hosts).sendRequest(createPipelineRequest({ url: `${other.url}/x`, allowInsecureConnection: true }));
    expect(answer.bodyAsText).toBe('{"from":"other"}');
    expect(other.asked.at(-1)?.headers["x-forwarded-host"]).toBeUndefined();
  }
});

test("the port of the original host is kept in its name, not in the address", () => {
  expect(retarget("https://Aks.Example.com:8443/readyz", { "aks.example.com": "https://127.0.0.1:4321/" })).toEqual({ url: "https://127.0.0.1:4321/readyz", originalHost: "aks.example.com:8443" });
  expect(retarget("https://elsewhere.example.com/", { "aks.example.com": "https://127.0.0.1:4321" })).toBeNull();
});
