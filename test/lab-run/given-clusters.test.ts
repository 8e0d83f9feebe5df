/** What the lab does in clusters and storage that somebody has: what is somebody's stays as it was, and what is the lab's goes. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountKey } from "../../lab/azurite.ts";
import { clusterObjects, scheduleBackups } from "../../lab/engine/applications.ts";
import type { EngineParts } from "../../lab/engine/engine.ts";
import { openGivens } from "../../lab/engine/given.ts";
import { applyRights } from "../../lab/engine/rights.ts";
import { openAuthority } from "../../lab/faces/certificates.ts";
import { serveKubernetesApi } from "../../lab/faces/kubernetes-api.ts";
import type { Listener } from "../../lab/faces/listen.ts";
import { ownName, ownRole } from "../../lab/given/given.ts";
import { serverIn } from "../../lab/given/kubeconfig.ts";
import { aboutNames, aboutVelero } from "../../lab/given/look.ts";
import { labelling, removeOwnObjects } from "../../lab/given/own-objects.ts";
import { accountIn, givenContainers, openContainers } from "../../lab/given/storage-account.ts";
import { ownLocations } from "../../lab/given/velero.ts";
import { type ApiConnection, type ApiObject, openApi } from "../../lab/real/api.ts";
import { memoryBlobStore, recordedBlobs } from "../../lab/world/velero/blob-store.ts";
import { bringUpCluster } from "../../lab/world/velero/bring-up.ts";
import { openSnapshots } from "../../lab/world/velero/snapshots.ts";
import { goodToken, labWorld, openMachines } from "../kubernetes/region.ts";

const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-given-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("in a cluster that somebody has", () => {
  const rbac = "rbac.authorization.k8s.io/v1";
  const velero = "/apis/velero.io/v1/namespaces/velero";
  const inVelero = (apiVersion: string, kind: string, name: string, more: object): ApiObject => ({ apiVersion, kind, ...more, metadata: { name, namespace: "velero", ...(more as { readonly metadata?: object }).metadata } });
  const role = (name: string, resource: string): ApiObject => ({ apiVersion: rbac, kind: "ClusterRole", metadata: { name }, rules: [{ apiGroups: [""], resources: [resource], verbs: ["get"] }] });
  let server: Listener;
  let api: ApiConnection;

  beforeAll(async () => {
    const authority = await openAuthority();
    const world = labWorld();
    const region = await bringUpCluster(world, "northeurope", { role: "secondary", ...openMachines(), locations: [], openBlobStore: () => memoryBlobStore(), snapshots: openSnapshots(), recording: await recordedBlobs() });
    // Only its kinds are needed: a server would take away what lies in no store.
    region.velero.close();
    server = await serveKubernetesApi(world, { cluster: region.cluster, authenticate: (token) => token === goodToken, place: { tls: await authority.issue(["localhost"], ["127.0.0.1"]) } });
    api = openApi({ url: server.url, caPem: authority.caPem, token: goodToken });
    // Their own app with the page's roles, and what it left of a run of a plan that is called as one of the lab's.
    for (const object of [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "theirs" } },
      role("lifeboat", "pods"),
      inVelero("velero.io/v1", "BackupStorageLocation", "theirs", { spec: { provider: "azure", objectStorage: { bucket: "theirs" } } }),
      inVelero("velero.io/v1", "Schedule", "theirs", { spec: { schedule: "0 3 * * *", template: { storageLocation: "theirs" } } }),
      inVelero("velero.io/v1", "Backup", "theirs", { spec: { storageLocation: "theirs" } }),
      ...restoreOf("lifeboat-shop-3-shop-consumers", "theirs", "shop-3"),
    ]) await api.apply(object);
  });
  afterAll(async () => {
    api.close();
    await server.close();
  });

  /** With the ConfigMap that it is modified by, as the app makes them. */
  const restoreOf = (name: string, backupName: string, runId: string): readonly ApiObject[] => [
    inVelero("v1", "ConfigMap", name, { metadata: { labels: { "lifeboat.dev/run": runId } }, data: {} }),
    inVelero("velero.io/v1", "Restore", name, { metadata: { labels: { "lifeboat.dev/run": runId } }, spec: { backupName, resourceModifier: { kind: "configmap", name } } }),
  ];
  const state = async () => {
    const collections = ["/api/v1/namespaces", "/api/v1/secrets", "/api/v1/serviceaccounts", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/apis/scheduling.k8s.io/v1/priorityclasses", ...["roles", "rolebindings", "clusterroles", "clusterrolebindings"].map((plural) => `/apis/${rbac}/${plural}`), "/api/v1/namespaces/velero/configmaps", ...["schedules", "restores", "backups", "backuprepositories", "backupstoragelocations"].map((plural) => `${velero}/${plural}`)];
    const lists = await Promise.all(collections.map(async (collection) => (await api.list(collection)).map(({ metadata }) => `${collection} ${metadata.namespace ?? ""}/${metadata.name} ${metadata.uid}`)));
    return lists.flat().toSorted();
  };

  test("all that a run makes goes, and nothing else, whatever it is called", async () => {
    const before = await state();
    expect(before.length).toBeGreaterThan(10);
    const own = labelling(api);
    for (const object of await clusterObjects()) await own.apply(object);
    for (const name of ownLocations) await own.apply(inVelero("velero.io/v1", "BackupStorageLocation", name, { spec: { provider: "azure", objectStorage: { bucket: "ours" } } }));
    await own.apply(inVelero("v1", "Secret", ownName, { stringData: { cloud: "made-up" } }));
    await own.apply(inVelero("v1", "ServiceAccount", ownName, {}));
    await own.apply({ apiVersion: rbac, kind: "ClusterRoleBinding", metadata: { name: ownName }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" }, subjects: [] });
    await applyRights(own, { role: "primary", namespaces: ["shop", "disaster-demo"], named: ownRole });
    await scheduleBackups(own, ownName);
    // Velero and the app label nothing for the lab.
    for (const object of [inVelero("velero.io/v1", "Backup", "shop-hourly-1", { spec: { storageLocation: ownName } }), ...restoreOf("lifeboat-shop-1-shop-consumers", "shop-hourly-1", "shop-1")]) await api.apply(object);
    expect(await aboutNames(api, "north.yaml")).toEqual([]);
    expect((await state()).length).toBeGreaterThan(before.length + 20);

    await removeOwnObjects(api, ownLocations, { untilGone: true });
    await expect.poll(state).toEqual(before);
  });

  test("what is somebody's and has a name of the lab's is told beforehand, and never applied over", async () => {
    const theirs = [role("shop-promotions-reader", "nodes"), { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "shop-critical" }, value: 7 }, inVelero("v1", "Secret", ownName, { stringData: { theirs: "made-up" } }), inVelero("velero.io/v1", "Schedule", "shop-hourly", { spec: { schedule: "0 4 * * *", template: {} } })];
    for (const object of theirs) await api.apply(object);
    const before = await state();
    expect(await aboutNames(api, "north.yaml")).toEqual(["PriorityClass shop-critical", "ClusterRole shop-promotions-reader", "Secret lifeboat-lab", "Schedule shop-hourly"].map((name) => `north.yaml: there is a ${name} already that is not the lab's, and the lab needs that name and would remove it at the end: give a cluster without it`));
    for (const object of theirs) await expect(labelling(api).apply(object)).rejects.toThrow("already that is not the lab's");
    await removeOwnObjects(api, ownLocations, { untilGone: true });
    expect(await state()).toEqual(before);
    for (const path of [`/apis/${rbac}/clusterroles/shop-promotions-reader`, "/apis/scheduling.k8s.io/v1/priorityclasses/shop-critical", "/api/v1/namespaces/velero/secrets/lifeboat-lab", `${velero}/schedules/shop-hourly`]) await api.request("DELETE", path);
  });

  test.each([
    [{ serverVersion: "v1.17.2", plugins: [] }, /^north\.yaml: its Velero is v1\.17\.2, and the lab needs 1\.18 or newer: upgrade it$/],
    [{ serverVersion: "v1.18.3", plugins: [{ kind: "ObjectStore", name: "velero.io/aws" }] }, /^north\.yaml: its Velero has no plugin for Azure's storage: add it/],
    [{ serverVersion: "v1.18.3", plugins: [{ kind: "ObjectStore", name: "velero.io/azure" }] }, /^north\.yaml: its Velero has no node agent that is ready/],
  ])("a Velero that says %j lacks what the lab needs (%s)", async (status, sentence) => {
    await api.request("DELETE", "/apis/apps/v1/namespaces/velero/daemonsets/node-agent");
    const path = `${velero}/serverstatusrequests`;
    const answer = async () => {
      for (const { metadata } of await api.list(path)) await api.request("PATCH", `${path}/${metadata.name}`, { status: { phase: "Processed", ...status } });
    };
    const answering = setInterval(() => void answer(), 50);
    try {
      expect(await aboutVelero(api, "north.yaml")).toEqual([expect.stringMatching(sentence)]);
    } finally {
      clearInterval(answering);
    }
    expect(await api.list(path)).toEqual([]);
  });

  test("what an earlier run left and does not go is waited for until somebody stops it", async () => {
    const stop = new AbortController();
    await labelling(api).apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    await api.request("POST", "/api/v1/namespaces/shop/configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held", namespace: "shop", finalizers: ["example.com/held"] } });
    const removing = removeOwnObjects(api, ownLocations, { untilGone: true, signal: stop.signal });
    setTimeout(() => stop.abort(), 500);
    await expect(removing).rejects.toThrow("aborted");
    await api.request("PATCH", "/api/v1/namespaces/shop/configmaps/held", { metadata: { finalizers: null } });
  });
});

describe("a storage account that somebody has", () => {
  /** What it answers to the next requests; after them, that a container is made. */
  const refusals: { readonly status: number; readonly code: string }[] = [];
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { status, code } = refusals.shift() ?? (request.method === "GET" ? { status: 200, code: "" } : { status: 201, code: "" });
    response.writeHead(status, { "content-type": "application/xml", ...(code === "" ? {} : { "x-ms-error-code": code }) });
    response.end(status === 200 ? '<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>' : code === "" ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>made up</Message></Error>`);
  });
  const account = () => accountIn(`DefaultEndpointsProtocol=http;AccountName=stgiven;AccountKey=${accountKey("stgiven")};BlobEndpoint=http://127.0.0.1:${(server.address() as AddressInfo).port}/stgiven;`);
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => void server.close());

  test("that is still removing the containers of the last run is asked again until it has", async () => {
    refusals.push({ status: 409, code: "ContainerBeingDeleted" }, { status: 409, code: "ContainerBeingDeleted" });
    await openContainers(account());
    expect(asked.filter((line) => line.startsWith("PUT")).length).toBe(2 + Object.keys(givenContainers).length);
  });

  test("and clusters that cannot be cleared any more: each is told of, with the remedy, and none keeps the others from it", async () => {
    const undone: (() => unknown)[] = [];
    const left: string[] = [];
    const cluster = (name: string) => ({ file: path.join(directory, name), server: { url: `https://${name}.example`, caPem: "", token: null }, pools: new Map<string, number>() });
    const open = openGivens({ looked: { account: account(), clusters: { westeurope: cluster("west"), northeurope: cluster("north") } }, onLeft: (what) => void left.push(what) });
    refusals.push(...Array.from({ length: 4 }, () => ({ status: 403, code: "AuthorizationFailure" })));
    const parts = { onStage: () => undefined, undo: (step: () => unknown) => void undone.push(step) } as Partial<EngineParts> as EngineParts;
    await expect(open(parts)).rejects.toThrow(/the container lifeboat-lab-primary cannot be made ready, .*: AuthorizationFailure/);
    for (const step of undone.toReversed()) await step();
    expect(left).toEqual([
      expect.stringMatching(/^what the lab made in https:\/\/west\.example \(label lifeboat\.dev\/lab\) could not be removed: .*west cannot be read as a kubeconfig: ENOENT.*; the next run there removes it$/),
      expect.stringMatching(/^what the lab made in https:\/\/north\.example /),
      expect.stringMatching(/^the lab's containers at http:.* could not be removed: .*; the next run there removes it$/),
    ]);
    expect(left.join("\n")).not.toContain(accountKey("stgiven"));
  });
});

describe("a kubeconfig", () => {
  const file = (name: string, { server = "https://north.example:443", user = {} as object }) => {
    const config = { apiVersion: "v1", kind: "Config", clusters: [{ name: "a", cluster: { server, "certificate-authority-data": Buffer.from("made-up").toString("base64") } }], users: [{ name: "b", user }], contexts: [{ name: "c", context: { cluster: "a", user: "b" } }], "current-context": "c" };
    writeFileSync(path.join(directory, name), JSON.stringify(config));
    return path.join(directory, name);
  };
  const plugin = (name: string, body: string) => {
    const command = path.join(directory, name);
    writeFileSync(command, `#!/bin/sh\n${body}\n`);
    chmodSync(command, 0o755);
    return { exec: { apiVersion: "client.authentication.k8s.io/v1beta1", command, args: [] } };
  };

  test("signs in by token or by a plugin", async () => {
    expect(await serverIn(file("token.yaml", { user: { token: "made-up" } }))).toEqual({ url: "https://north.example", caPem: "made-up", token: "made-up" });
    const signed = plugin("signs-in", `echo '{"status": {"token": "from-the-plugin"}}'`);
    expect(await serverIn(file("plugin.yaml", { user: signed }))).toMatchObject({ token: "from-the-plugin" });
  });

  test("whose plugin waits for a person, or is not there, is refused with the remedy", async () => {
    await expect(serverIn(file("waits.yaml", { user: plugin("waits", "exec sleep 3") }), 200)).rejects.toThrow(/waits\.yaml: nobody could be signed in at .*: no answer of the sign-in within 0\.2 s; .*try `kubectl --kubeconfig .* get nodes`/);
    await expect(serverIn(file("missing.yaml", { user: { exec: { apiVersion: "v1", command: path.join(directory, "no-plugin") } } }))).rejects.toThrow(/nobody could be signed in at .*ENOENT/);
  });

  test("that leads below a path of a proxy is refused: there the lab would speak to something else", async () => {
    await expect(serverIn(file("proxied.yaml", { server: "https://rancher.example/k8s/clusters/c-1", user: { token: "made-up" } }))).rejects.toThrow("below a path of a proxy");
  });
});
