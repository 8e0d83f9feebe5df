import { afterEach, describe, expect, test } from "vitest";
import { openAuthority } from "../../lab/faces/certificates.ts";
import { listen } from "../../lab/faces/listen.ts";
import { ApiRefused, openApi, pathOf } from "../../lab/real/api.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An API server that says "later" so many times, and then has an empty list. */
async function busyServer(times: number) {
  let asked = 0;
  const authority = await openAuthority();
  const listener = await listen({ tls: await authority.issue(["localhost"], ["127.0.0.1"]) }, (request, response) => {
    asked += 1;
    if (request.headers.authorization !== "Bearer mine") response.writeHead(401).end(JSON.stringify({ message: "Unauthorized" }));
    else if (asked <= times) response.writeHead(429, { "retry-after": "0" }).end(JSON.stringify({ message: "storage is (re)initializing" }));
    else response.end(JSON.stringify({ items: [] }));
  });
  const as = (token: string) => {
    const api = openApi({ url: listener.url, caPem: authority.caPem, token });
    closers.push(() => api.close());
    return api;
  };
  closers.push(() => listener.close());
  return { as, asked: () => asked };
}

describe("the lab's hand on a Kubernetes API", () => {
  test("asks again where the API server says later, as for a kind that it has only just begun to serve", async () => {
    const server = await busyServer(2);
    expect(await server.as("mine").list("/apis/velero.io/v1/backups")).toEqual([]);
    expect(server.asked()).toBe(3);
  });

  test("gives up after ten times, and on any other refusal at once, with what was said", async () => {
    const server = await busyServer(99);
    await expect(server.as("mine").list("/api/v1/pods")).rejects.toThrow(new ApiRefused("GET /api/v1/pods", { status: 429, body: { message: "storage is (re)initializing" } }));
    expect(server.asked()).toBe(10);
    await expect(server.as("another").list("/api/v1/pods")).rejects.toThrow("GET /api/v1/pods: 401 Unauthorized");
    expect(server.asked()).toBe(11);
  });

  test.each([
    ["v1", "Namespace", undefined, "/api/v1/namespaces/x"],
    ["apps/v1", "Deployment", "shop", "/apis/apps/v1/namespaces/shop/deployments/x"],
    ["storage.k8s.io/v1", "StorageClass", undefined, "/apis/storage.k8s.io/v1/storageclasses/x"],
    ["networking.k8s.io/v1", "NetworkPolicy", "shop", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/x"],
    ["velero.io/v1", "BackupStorageLocation", "velero", "/apis/velero.io/v1/namespaces/velero/backupstoragelocations/x"],
  ])("finds the path of a %s %s", (apiVersion, kind, namespace, path) => {
    expect(pathOf({ apiVersion, kind, metadata: { name: "x", ...(namespace === undefined ? {} : { namespace }) } })).toBe(path);
  });
});
