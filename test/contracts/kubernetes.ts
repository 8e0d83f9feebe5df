import { ApiException, AppsV1Api, CoreV1Api, CustomObjectsApi, Watch } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, test } from "vitest";
import { applyPatch, type ClusterSpeaker, eventually, jsonPatch, mergePatch, type Seen, strategicPatch, type Wire, wireTo } from "./cluster-speaker.ts";

export interface KubernetesSpeaker extends ClusterSpeaker {
  /** Makes every resource version there ever was too old to watch from, as a restart of a real API server does. */
  forgetHistory(): Promise<void>;
}

const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const names = (objects: readonly Seen[]) => objects.map(({ metadata }) => metadata.name);
const listOf = (body: Readonly<Record<string, unknown>>) => body as unknown as { readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number }; readonly items: readonly Seen[] };

/** What the app, its tests and Velero rely on in an API server. */
export function describeKubernetesContract(name: string, open: () => Promise<KubernetesSpeaker>): void {
  describe(`${name} keeps the contract of Kubernetes`, () => {
    let speaker: KubernetesSpeaker;
    let wire: Wire;
    let shop: string;
    beforeAll(async () => {
      speaker = await open();
      wire = wireTo(speaker);
      shop = await wire.namespace();
    });
    afterAll(async () => speaker?.close());
    const put = (object: Record<string, unknown>, path = configMaps(shop)) => wire.create(path, object);
    const apply = (name: string, data: Record<string, string>, query: string, extra: Record<string, unknown> = {}) =>
      wire.ask("PATCH", `${configMaps(shop)}/${name}?${query}`, { body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...extra }, data }, contentType: applyPatch });

    test("health and version are told in plain words", async ({ expect }) => {
      for (const path of ["/readyz", "/livez"]) expect(await wire.ask("GET", path)).toMatchObject({ status: 200, text: "ok" });
      const version = await wire.ask("GET", "/version");
      expect(version.body).toMatchObject({ major: "1", minor: expect.stringMatching(/^\d+$/) as string, gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) as string });
    });

    test("discovery lists groups, versions and kinds, and says in two ways that it knows none", async ({ expect }) => {
      expect((await wire.ask("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
      const apps = { name: "apps", versions: [{ groupVersion: "apps/v1", version: "v1" }], preferredVersion: { groupVersion: "apps/v1", version: "v1" } };
      expect((await wire.ask("GET", "/apis")).body).toMatchObject({ kind: "APIGroupList", groups: expect.arrayContaining([expect.objectContaining(apps)]) as unknown });
      expect((await wire.ask("GET", "/apis/apps")).body).toMatchObject({ kind: "APIGroup", ...apps });
      const core = (await wire.ask("GET", "/api/v1")).body as { resources: readonly Record<string, unknown>[] };
      const row = (resource: string) => core.resources.find((one) => one["name"] === resource);
      expect(row("configmaps")).toMatchObject({ singularName: "configmap", namespaced: true, kind: "ConfigMap", shortNames: ["cm"] });
      expect(row("configmaps")?.["verbs"]).toEqual(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
      expect(row("namespaces")).toMatchObject({ namespaced: false, kind: "Namespace" });
      expect(row("pods/status")).toMatchObject({ namespaced: true, kind: "Pod", verbs: ["get", "patch", "update"] });
      const unknownGroup = await wire.ask("GET", "/apis/nowhere.example.com/v1/things");
      expect(unknownGroup).toMatchObject({ status: 404, text: "404 page not found\n" });
      const unknownKind = await wire.ask("GET", "/apis/apps/v1/things");
      expect(unknownKind).toMatchObject({ status: 404, body: { kind: "Status", reason: "NotFound", message: "the server could not find the requested resource", details: {} } });
    });

    test("refusals are a Status with reason, message and details", async ({ expect }) => {
      await put({ metadata: { name: "taken" } });
      expect((await wire.ask("GET", `${configMaps(shop)}/none`)).body).toEqual({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: 'configmaps "none" not found', reason: "NotFound", details: { name: "none", kind: "configmaps" }, code: 404 });
      const taken = await wire.ask("POST", configMaps(shop), { body: { metadata: { name: "taken" } } });
      expect(taken).toMatchObject({ status: 409, body: { reason: "AlreadyExists", message: 'configmaps "taken" already exists' } });
      const nowhere = await wire.ask("POST", configMaps("no-such-namespace"), { body: { metadata: { name: "x" } } });
      expect(nowhere).toMatchObject({ status: 404, body: { message: 'namespaces "no-such-namespace" not found', details: { name: "no-such-namespace", kind: "namespaces" } } });
      const nameless = await wire.ask("POST", configMaps(shop), { body: { metadata: {} } });
      expect(nameless).toMatchObject({ status: 422, body: { reason: "Invalid", message: expect.stringContaining("metadata.name: Required value: name or generateName is required") as string } });
      const badly = await wire.ask("POST", configMaps(shop), { body: { metadata: { name: "Bad_Name" } } });
      expect(badly).toMatchObject({ status: 422, body: { message: expect.stringContaining("a lowercase RFC 1123 subdomain must consist of") as string, details: { name: "Bad_Name", kind: "ConfigMap", causes: [{ reason: "FieldValueInvalid", field: "metadata.name" }] } } });
      const other = await wire.ask("POST", configMaps(shop), { body: { metadata: { name: "x", namespace: "other" } } });
      expect(other).toMatchObject({ status: 400, body: { reason: "BadRequest", message: "the namespace of the provided object does not match the namespace sent on the request" } });
      const secret = await wire.ask("POST", configMaps(shop), { body: { kind: "Secret", apiVersion: "v1", metadata: { name: "x" } } });
      expect(secret).toMatchObject({ status: 400, body: { message: expect.stringContaining('Secret in version "v1" cannot be handled as a ConfigMap') as string } });
      const broken = await wire.ask("POST", configMaps(shop), { text: '{"metadata":{' });
      expect(broken).toMatchObject({ status: 400, body: { reason: "BadRequest", message: expect.stringMatching(/^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error: /) as string } });
      const untyped = await wire.ask("PATCH", `${configMaps(shop)}/taken`, { body: {} });
      expect(untyped).toMatchObject({ status: 415, body: { reason: "UnsupportedMediaType" } });
      const versioned = await wire.ask("POST", configMaps(shop), { body: { metadata: { name: "versioned", resourceVersion: "5" } } });
      expect(versioned).toMatchObject({ status: 500, body: { message: "resourceVersion should not be set on objects to be created" } });
    });

    test("a second writer with an old version is told, one without a version is not", async ({ expect }) => {
      const first = await put({ metadata: { name: "race" }, data: { banner: "first" } });
      const second = await wire.ask("PUT", `${configMaps(shop)}/race`, { body: { metadata: { name: "race", resourceVersion: first.metadata.resourceVersion }, data: { banner: "second" } } });
      expect(second.status).toBe(200);
      const stale = { metadata: { name: "race", resourceVersion: first.metadata.resourceVersion }, data: { banner: "stale" } };
      const conflict = { status: 409, body: { reason: "Conflict", message: 'Operation cannot be fulfilled on configmaps "race": the object has been modified; please apply your changes to the latest version and try again', details: { name: "race", kind: "configmaps" } } };
      expect(await wire.ask("PUT", `${configMaps(shop)}/race`, { body: stale })).toMatchObject(conflict);
      expect(await wire.ask("PATCH", `${configMaps(shop)}/race`, { body: stale, contentType: mergePatch })).toMatchObject(conflict);
      expect(await wire.ask("PUT", `${configMaps(shop)}/race`, { body: { metadata: { name: "race" }, data: { banner: "third" } } })).toMatchObject({ status: 200, body: { data: { banner: "third" } } });
      const stranger = await wire.ask("PUT", `${configMaps(shop)}/race`, { body: { metadata: { name: "race", uid: "of-another" }, data: {} } });
      expect(stranger).toMatchObject({ status: 409, body: { reason: "Conflict", message: expect.stringContaining("Precondition failed: UID in precondition: of-another") as string } });
      const old = await wire.ask("DELETE", `${configMaps(shop)}/race`, { body: { kind: "DeleteOptions", apiVersion: "v1", preconditions: { resourceVersion: first.metadata.resourceVersion } } });
      expect(old).toMatchObject({ status: 409, body: { reason: "Conflict", message: expect.stringContaining("the ResourceVersion in the precondition") as string } });
      const wrong = await wire.ask("DELETE", `${configMaps(shop)}/race`, { body: { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: "of-another" } } });
      expect(wrong).toMatchObject({ status: 409, body: { reason: "Conflict", message: expect.stringContaining("the UID in the precondition") as string } });
      expect(await wire.ask("DELETE", `${configMaps(shop)}/race`, { body: { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: first.metadata.uid } } })).toMatchObject({ status: 200, body: { kind: "Status", status: "Success", details: { name: "race", kind: "configmaps", uid: first.metadata.uid } } });
      expect(await wire.ask("PUT", `${configMaps(shop)}/race`, { body: { metadata: { name: "race" } } })).toMatchObject({ status: 404 });
    });

    test("of ten writers at once who all read the same, one gets through", async ({ expect }) => {
      const { metadata } = await put({ metadata: { name: "ten" } });
      const core = speaker.kubeConfig.makeApiClient(CoreV1Api);
      const write = (at: number) => core.replaceNamespacedConfigMap({ namespace: shop, name: "ten", body: { metadata: { name: "ten", resourceVersion: metadata.resourceVersion }, data: { writer: String(at) } } }).then(() => 200, (error: unknown) => (error instanceof ApiException ? error.code : 0));
      expect((await Promise.all(Array.from({ length: 10 }, (_, at) => write(at)))).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    });

    test("patches change what they name; one that changes nothing leaves the version as it is", async ({ expect }) => {
      await put({ metadata: { name: "patched", labels: { app: "web" } }, data: { text: "old", kept: "y" } });
      const at = `${configMaps(shop)}/patched`;
      const merged = await wire.patch(at, { data: { text: null, banner: "Winter sale" } });
      expect(merged.data).toEqual({ kept: "y", banner: "Winter sale" });
      expect((await wire.patch(at, { data: { banner: "Winter sale" } })).metadata.resourceVersion).toBe(merged.metadata.resourceVersion);
      expect((await wire.ask("PATCH", at, { body: { metadata: { labels: { tier: "front" } } }, contentType: strategicPatch })).body).toMatchObject({ metadata: { labels: { app: "web", tier: "front" } } });
      expect((await wire.ask("PATCH", at, { body: [{ op: "replace", path: "/data/banner", value: "Last day" }], contentType: jsonPatch })).body).toMatchObject({ data: { banner: "Last day" } });
      for (const body of [[{ op: "test", path: "/data/banner", value: "another" }], [{ op: "remove", path: "/data/none" }]])
        expect(await wire.ask("PATCH", at, { body, contentType: jsonPatch })).toMatchObject({ status: 422, body: { reason: "Invalid", message: "the server rejected our request due to an error in our request", details: {} } });
      expect(await wire.ask("PATCH", `${configMaps(shop)}/none`, { body: {}, contentType: mergePatch })).toMatchObject({ status: 404 });
    });

    test("server-side apply keeps who owns what, refuses what another owns, and takes it by force", async ({ expect }) => {
      expect(await apply("owned", { a: "1" }, "")).toMatchObject({ status: 422, body: { message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch' } });
      const made = await apply("owned", { a: "1", b: "2" }, "fieldManager=one");
      expect(made).toMatchObject({ status: 201, body: { data: { a: "1", b: "2" }, metadata: { managedFields: [{ manager: "one", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:a": {}, "f:b": {} } } }] } } });
      const refused = await apply("owned", { a: "9", b: "8", c: "3" }, "fieldManager=two");
      expect(refused).toMatchObject({
        status: 409,
        body: { reason: "Conflict", message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b', details: { causes: [".data.a", ".data.b"].map((field) => ({ reason: "FieldManagerConflict", message: 'conflict with "one"', field })) } },
      });
      const forced = await apply("owned", { a: "9", c: "3" }, "fieldManager=two&force=true");
      expect(forced).toMatchObject({ status: 200, body: { data: { a: "9", b: "2", c: "3" } } });
      expect((forced.body as Seen).metadata.managedFields).toMatchObject([{ manager: "one", fieldsV1: { "f:data": { "f:b": {} } } }, { manager: "two", fieldsV1: { "f:data": { "f:a": {}, "f:c": {} } } }]);
      const again = await apply("owned", { b: "2" }, "fieldManager=one");
      expect((again.body as Seen).metadata.resourceVersion).toBe((forced.body as Seen).metadata.resourceVersion);
      const misnamed = await wire.ask("PATCH", `${configMaps(shop)}/another?fieldManager=one`, { body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owned" } }, contentType: applyPatch });
      expect(misnamed).toMatchObject({ status: 400, body: { message: "the name of the object (owned) does not match the name on the URL (another)" } });
    });

    test("what an applier leaves out goes, unless another has it too; a plain write takes fields over", async ({ expect }) => {
      await apply("shared", { mine: "1", ours: "2" }, "fieldManager=one");
      await apply("shared", { ours: "2" }, "fieldManager=two");
      const left = await apply("shared", { new: "3" }, "fieldManager=one");
      expect((left.body as Seen).data).toEqual({ new: "3", ours: "2" });
      await wire.ask("PATCH", `${configMaps(shop)}/shared`, { body: { data: { new: "7" } }, contentType: mergePatch, manager: "lifeboat/1.0 (test)" });
      const seen = await wire.get(`${configMaps(shop)}/shared`);
      expect(seen.metadata.managedFields?.map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }))).toEqual([
        { manager: "two", operation: "Apply", fieldsV1: { "f:data": { "f:ours": {} } } },
        { manager: "lifeboat", operation: "Update", fieldsV1: { "f:data": { "f:new": {} } } },
      ]);
      expect(await apply("shared", { new: "3" }, "fieldManager=one")).toMatchObject({ status: 409, body: { message: 'Apply failed with 1 conflict: conflict with "lifeboat" using v1: .data.new' } });
    });

    test("lists of named things are merged by name under server-side apply", async ({ expect }) => {
      const deployments = `/apis/apps/v1/namespaces/${shop}/deployments`;
      const deployment = (containers: unknown[], more: object = {}) => ({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { ...more, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers } } } });
      const send = (body: unknown, query: string) => wire.ask("PATCH", `${deployments}/web?${query}`, { body, contentType: applyPatch });
      expect((await send(deployment([{ name: "page", image: "page:1" }], { replicas: 0 }), "fieldManager=one")).status).toBe(201);
      const two = await send({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template: { spec: { containers: [{ name: "side", image: "side:1" }] } } } }, "fieldManager=two");
      expect(two).toMatchObject({ status: 200, body: { spec: { template: { spec: { containers: [{ name: "page", image: "page:1" }, { name: "side", image: "side:1" }] } } } } });
      expect((two.body as Seen).metadata.generation).toBe(2);
      expect(await send(deployment([{ name: "page", image: "page:1" }, { name: "side", image: "side:2" }], { replicas: 0 }), "fieldManager=one")).toMatchObject({ status: 409, body: { message: 'Apply failed with 1 conflict: conflict with "two": .spec.template.spec.containers[name="side"].image' } });
      const read = await speaker.kubeConfig.makeApiClient(AppsV1Api).readNamespacedDeployment({ namespace: shop, name: "web" });
      expect(read.metadata?.managedFields?.find(({ manager }) => manager === "two")?.fieldsV1).toEqual({ "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"side"}': { ".": {}, "f:image": {}, "f:name": {} } } } } } });
    });

    test("a list goes page by page over one and the same instant", async ({ expect }) => {
      const within = await wire.namespace();
      await eventually("the CA bundle", speaker.patienceMs, async () => ((await wire.list(configMaps(within))).length === 1 ? true : null));
      for (const one of ["a", "b", "c", "d", "e"]) await put({ metadata: { name: one, labels: { letter: one } } }, configMaps(within));
      const first = listOf((await wire.ask("GET", `${configMaps(within)}?limit=2`)).body);
      expect(names(first.items)).toEqual(["a", "b"]);
      expect(first.metadata.remainingItemCount).toBe(4);
      await put({ metadata: { name: "bb" } }, configMaps(within));
      await wire.ask("DELETE", `${configMaps(within)}/c`);
      await wire.patch(`${configMaps(within)}/d`, { data: { later: "yes" } });
      const second = listOf((await wire.ask("GET", `${configMaps(within)}?limit=2&continue=${first.metadata.continue ?? ""}`)).body);
      expect(names(second.items)).toEqual(["c", "d"]);
      expect(second.items[1]?.data).toBeUndefined();
      expect(second.metadata).toMatchObject({ resourceVersion: first.metadata.resourceVersion, remainingItemCount: 2 });
      const third = listOf((await wire.ask("GET", `${configMaps(within)}?limit=2&continue=${second.metadata.continue ?? ""}`)).body);
      expect(names(third.items)).toEqual(["e", "kube-root-ca.crt"]);
      expect(third.metadata.continue ?? "").toBe("");
      expect(third.metadata.remainingItemCount).toBeUndefined();
      const labelled = listOf((await wire.ask("GET", `${configMaps(within)}?limit=1&labelSelector=letter`)).body);
      expect(labelled.metadata.continue).toBeTruthy();
      expect(labelled.metadata.remainingItemCount).toBeUndefined();
      expect(await wire.ask("GET", `${configMaps(within)}?limit=2&continue=nonsense`)).toMatchObject({ status: 400, body: { reason: "BadRequest", message: expect.stringMatching(/^invalid continue token: continue key is not valid/) as string } });
    });

    test("labels and fields select, and what cannot be read is refused", async ({ expect }) => {
      for (const [one, app] of [["la", "web"], ["lb", "db"], ["lc", "mail"]] as const) await put({ metadata: { name: one, labels: { app, set: "labels" } } });
      const selected = async (selector: string) => names(await wire.list(`${configMaps(shop)}?labelSelector=${encodeURIComponent(selector)}`));
      expect(await selected("set=labels,app in (web,db)")).toEqual(["la", "lb"]);
      expect(await selected("set=labels,app notin (web,db)")).toEqual(["lc"]);
      expect(await selected("set,app!=db")).toEqual(["la", "lc"]);
      expect(await selected("set=labels,!app")).toEqual([]);
      expect(names(await wire.list(`/api/v1/configmaps?fieldSelector=metadata.name%3Dlb,metadata.namespace%3D${shop}`))).toEqual(["lb"]);
      expect(await wire.ask("GET", `${configMaps(shop)}?labelSelector=${encodeURIComponent("app foo (a)")}`)).toMatchObject({ status: 400, body: { message: "unable to parse requirement: found 'foo', expected: in, notin, =, ==, !=, gt, lt" } });
      expect(await wire.ask("GET", `${configMaps(shop)}?fieldSelector=spec.x%3D1`)).toMatchObject({ status: 400, body: { message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"' } });
    });

    test("items of a list leave out what the list says; those of a custom kind repeat it", async ({ expect }) => {
      const [built] = await wire.list(`${configMaps(shop)}?limit=1`);
      expect(built).not.toHaveProperty("kind");
      const list = (await wire.ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=1")).body;
      expect(list).toMatchObject({ kind: "CustomResourceDefinitionList", apiVersion: "apiextensions.k8s.io/v1" });
    });

    test("a watch tells what happens to what it selects, and goes on where another one ended", async ({ expect }) => {
      const within = await wire.namespace();
      const { metadata } = listOf((await wire.ask("GET", configMaps(within))).body);
      const path = `${configMaps(within)}?watch=1&labelSelector=app%3Dweb`;
      const watch = await wire.watch(`${path}&resourceVersion=${metadata.resourceVersion}`);
      const added = await put({ metadata: { name: "a", labels: { app: "web" } } }, configMaps(within));
      await put({ metadata: { name: "b" } }, configMaps(within));
      await wire.patch(`${configMaps(within)}/a`, { data: { x: "y" } });
      await wire.patch(`${configMaps(within)}/b`, { metadata: { labels: { app: "web" } } });
      await wire.patch(`${configMaps(within)}/a`, { metadata: { labels: { app: null } } });
      await wire.ask("DELETE", `${configMaps(within)}/b`);
      const told = ["ADDED a", "MODIFIED a", "ADDED b", "DELETED a", "DELETED b"];
      const said = (one: { readonly events: typeof watch.events }) => one.events.filter(({ type }) => type !== "BOOKMARK").map(({ type, object }) => `${type} ${object.metadata.name}`);
      await eventually("five events", speaker.patienceMs, () => (said(watch).length >= 5 ? true : null), () => said(watch));
      expect(said(watch)).toEqual(told);
      watch.close();
      const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Set(versions).size).toBe(5);
      // From the version of the first event on: everything but that one.
      const resumed = await wire.watch(`${path}&resourceVersion=${added.metadata.resourceVersion}`);
      await eventually("four events again", speaker.patienceMs, () => (said(resumed).length >= 4 ? true : null), () => said(resumed));
      expect(said(resumed)).toEqual(told.slice(1));
      resumed.close();
    });

    test("a watch without a version begins with what there is, and a bookmark says how far it has come", async ({ expect }) => {
      const within = await wire.namespace();
      await eventually("the CA bundle", speaker.patienceMs, async () => ((await wire.list(configMaps(within))).length === 1 ? true : null));
      await put({ metadata: { name: "there" } }, configMaps(within));
      const watch = await wire.watch(`${configMaps(within)}?watch=1&allowWatchBookmarks=true&timeoutSeconds=4`);
      await eventually("its end", speaker.patienceMs + 10_000, () => (watch.isOver() ? true : null), () => watch.events);
      expect(watch.events.filter(({ type }) => type === "ADDED").map(({ object }) => object.metadata.name).toSorted()).toEqual(["kube-root-ca.crt", "there"]);
      const last = watch.events.at(-1);
      expect(last).toMatchObject({ type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: expect.stringMatching(/^\d+$/) as string } } });
      const later = await put({ metadata: { name: "later" } }, configMaps(within));
      const resumed = await wire.watch(`${configMaps(within)}?watch=1&resourceVersion=${last?.object.metadata.resourceVersion ?? ""}`);
      await eventually("the one event", speaker.patienceMs, () => resumed.events[0], () => resumed.events);
      resumed.close();
      expect(resumed.events.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([["ADDED", later.metadata.resourceVersion]]);
    });

    test("a version that is no number is refused, and one from the future is not served yet", async ({ expect }) => {
      expect(await wire.ask("GET", `${configMaps(shop)}?watch=1&resourceVersion=abc`)).toMatchObject({ status: 500, body: { kind: "Status", message: expect.stringContaining('resourceVersion: Invalid value: "abc"') as string } });
      expect(await wire.ask("GET", `${configMaps(shop)}?resourceVersion=999999999`)).toMatchObject({ status: 504, body: { reason: "Timeout", message: expect.stringMatching(/^Timeout: Too large resource version: 999999999, current: \d+$/) as string, details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 } } });
    });

    test("the client's own watch sees the same events", async ({ expect }) => {
      const within = await wire.namespace();
      const seen: string[] = [];
      const request = await new Watch(speaker.kubeConfig).watch(configMaps(within), { fieldSelector: "metadata.name=one" }, (phase, object: Seen) => void seen.push(`${phase} ${object.metadata.name}`), () => {});
      await put({ metadata: { name: "one" } }, configMaps(within));
      await wire.ask("DELETE", `${configMaps(within)}/one`);
      await eventually("both", speaker.patienceMs, () => (seen.length >= 2 ? true : null), () => seen);
      request.abort();
      expect(seen).toEqual(["ADDED one", "DELETED one"]);
    });

    test("what has a finalizer ends when the last one goes, and gets no new one", async ({ expect }) => {
      await put({ metadata: { name: "held", finalizers: ["example.com/hold"] } });
      const at = `${configMaps(shop)}/held`;
      expect(await wire.ask("DELETE", at)).toMatchObject({ status: 200, body: { kind: "ConfigMap", metadata: { finalizers: ["example.com/hold"], deletionGracePeriodSeconds: 0, deletionTimestamp: expect.stringMatching(/Z$/) as string } } });
      const more = await wire.ask("PATCH", at, { body: { metadata: { finalizers: ["example.com/hold", "example.com/two"] } }, contentType: mergePatch });
      expect(more).toMatchObject({ status: 422, body: { reason: "Invalid", message: 'ConfigMap "held" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/two"}' } });
      expect((await wire.ask("DELETE", at)).status).toBe(200);
      await wire.patch(at, { metadata: { finalizers: null } });
      expect((await wire.ask("GET", at)).status).toBe(404);
      expect((await wire.ask("DELETE", at)).status).toBe(404);
    });

    test("a namespace that ends takes no more in, and takes everything with it", async ({ expect }) => {
      const within = await wire.namespace();
      await put({ metadata: { name: "held", finalizers: ["example.com/hold"] } }, configMaps(within));
      expect(await wire.ask("DELETE", `/api/v1/namespaces/${within}`)).toMatchObject({ status: 200, body: { kind: "Namespace", status: { phase: "Terminating" } } });
      expect(await wire.ask("POST", configMaps(within), { body: { metadata: { name: "late" } } })).toMatchObject({
        status: 403,
        body: { reason: "Forbidden", message: `configmaps "late" is forbidden: unable to create new content in namespace ${within} because it is being terminated`, details: { name: "late", kind: "configmaps", causes: [{ reason: "NamespaceTerminating", message: `namespace ${within} is being terminated`, field: "metadata.namespace" }] } },
      });
      await eventually("the object to end", speaker.patienceMs, async () => (await wire.get(`${configMaps(within)}/held`)).metadata.deletionTimestamp);
      expect((await wire.get(`/api/v1/namespaces/${within}`)).status?.["phase"]).toBe("Terminating");
      await wire.patch(`${configMaps(within)}/held`, { metadata: { finalizers: null } });
      await eventually("the namespace to go", speaker.patienceMs, async () => ((await wire.ask("GET", `/api/v1/namespaces/${within}`)).status === 404 ? true : null));
    });

    test("a custom kind comes with its definition: pruned, defaulted, checked, and with a version at every replace", async ({ expect }) => {
      const group = `g${shop.replaceAll("-", "")}.example.com`;
      const custom = speaker.kubeConfig.makeApiClient(CustomObjectsApi);
      const widgets = { group, version: "v1", namespace: shop, plural: "widgets" };
      const path = `/apis/${group}/v1/namespaces/${shop}/widgets`;
      expect((await wire.ask("GET", path)).status).toBe(404);
      const spec = { type: "object", properties: { size: { type: "integer", minimum: 1, maximum: 90 }, colour: { type: "string", default: "red" }, mode: { type: "string", enum: ["a", "b"] } }, required: ["size"] };
      const schema = { openAPIV3Schema: { type: "object", properties: { spec, status: { type: "object", properties: { phase: { type: "string" } } } } } };
      const definition = { metadata: { name: `widgets.${group}` }, spec: { group, scope: "Namespaced", names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" }, versions: [{ name: "v1", served: true, storage: true, schema, subresources: { status: {} } }] } };
      await wire.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
      await eventually("the kind", speaker.patienceMs, async () => ((await wire.ask("GET", path)).status === 200 ? true : null));
      const widget = (name: string, own: Record<string, unknown>) => ({ apiVersion: `${group}/v1`, kind: "Widget", metadata: { name }, spec: own, status: { phase: "Lost" } });
      const made = (await custom.createNamespacedCustomObject({ ...widgets, body: widget("one", { size: 5, unknown: "x" }) })) as Seen;
      expect(made).toMatchObject({ metadata: { generation: 1 }, spec: { size: 5, colour: "red" } });
      expect(made.spec).not.toHaveProperty("unknown");
      expect(made.status).toBeUndefined();
      const wrong = async (own: Record<string, unknown>) => (await wire.ask("POST", path, { body: widget("bad", own) })).body;
      expect(await wire.ask("POST", path, { body: { metadata: { name: "nameless" }, spec: { size: 1 } } })).toMatchObject({ status: 400, body: { reason: "BadRequest", message: expect.stringContaining("the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing") as string } });
      expect(await wrong({ size: 95 })).toMatchObject({ code: 422, reason: "Invalid", message: `Widget.${group} "bad" is invalid: spec.size: Invalid value: 95: spec.size in body should be less than or equal to 90`, details: { name: "bad", group, kind: "Widget", causes: [{ reason: "FieldValueInvalid", field: "spec.size" }] } });
      expect(await wrong({ size: "5" })).toMatchObject({ code: 422, message: `Widget.${group} "bad" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"` });
      expect(await wrong({})).toMatchObject({ code: 422, message: expect.stringContaining("spec.size: Required value") as string });
      expect(await wrong({ size: 1, mode: "c" })).toMatchObject({ code: 422, message: expect.stringContaining('spec.mode: Unsupported value: "c": supported values: "a", "b"') as string });
      expect(await wire.ask("PUT", `${path}/one`, { body: widget("one", { size: 6 }) })).toMatchObject({ status: 422, body: { message: `widgets.${group} "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update` } });
      const spoken = (await wire.ask("PATCH", `${path}/one/status`, { body: { spec: { size: 7 }, status: { phase: "Ready" } }, contentType: mergePatch })).body as Seen;
      expect(spoken).toMatchObject({ metadata: { generation: 1 }, spec: { size: 5 }, status: { phase: "Ready" } });
      expect(await wire.patch(`${path}/one`, { spec: { size: 7 }, status: { phase: "Lost" } })).toMatchObject({ metadata: { generation: 2 }, spec: { size: 7 }, status: { phase: "Ready" } });
      expect(await wire.ask("PATCH", `${path}/one`, { body: {}, contentType: strategicPatch })).toMatchObject({ status: 415 });
      expect((await wire.list(path))[0]).toMatchObject({ kind: "Widget", apiVersion: `${group}/v1` });
      expect(await wire.ask("DELETE", `${path}/one`)).toMatchObject({ status: 200, body: { kind: "Status", status: "Success", details: { name: "one", group, kind: "widgets" } } });
      await wire.ask("DELETE", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`);
      await eventually("the kind to go", speaker.patienceMs, async () => ((await wire.ask("GET", path)).status === 404 ? true : null));
    });

    // Last: after it every version that was seen before is history.
    test("a version that is too old is 410 Gone, and a new list is a new beginning", async ({ expect }) => {
      const { metadata } = listOf((await wire.ask("GET", configMaps(shop))).body);
      await put({ metadata: { name: "before" } });
      await speaker.forgetHistory();
      const watch = await wire.watch(`${configMaps(shop)}?watch=1&resourceVersion=${metadata.resourceVersion}`);
      await eventually("its end", speaker.patienceMs, () => (watch.isOver() ? true : null), () => watch.events);
      expect(watch.events).toMatchObject([{ type: "ERROR", object: { kind: "Status", status: "Failure", reason: "Expired", code: 410, message: expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/) as string } }]);
      const again = listOf((await wire.ask("GET", configMaps(shop))).body);
      expect(names(again.items)).toContain("before");
      const fresh = await wire.watch(`${configMaps(shop)}?watch=1&resourceVersion=${again.metadata.resourceVersion}`);
      await put({ metadata: { name: "after" } });
      await eventually("an event", speaker.patienceMs, () => fresh.events[0], () => fresh.events);
      fresh.close();
      expect(fresh.events[0]).toMatchObject({ type: "ADDED", object: { metadata: { name: "after" } } });
    });
  });
}
