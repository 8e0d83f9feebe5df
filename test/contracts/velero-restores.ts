import { afterAll, beforeAll, describe, test } from "vitest";
import { eventually, type Seen } from "./cluster-speaker.ts";
import { handOn, namesIn, phaseOf, phasesUntil, readyShop, smallShop, unpacked, type VeleroHand, type VeleroSpeaker } from "./velero-speaker.ts";

const configMap = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;

/** Restores: their life, what they refuse, what they leave alone, what they change. */
export function describeVeleroRestoresContract(name: string, open: () => Promise<VeleroSpeaker>): void {
  describe(`${name} keeps the contract of Velero's restores`, () => {
    let speaker: VeleroSpeaker;
    let velero: VeleroHand;
    let shop: string;
    const own = () => speaker.container("plain", "contract-restores");
    beforeAll(async () => {
      speaker = await open();
      velero = handOn(speaker);
      await velero.location("kept", "plain", "contract-restores");
      shop = await smallShop(velero, speaker.patienceMs);
      await velero.backup("shop", { includedNamespaces: [shop], storageLocation: "kept" });
    });
    afterAll(async () => speaker?.close());
    const mapped = (suffix: string, more: Record<string, unknown> = {}) => ({ backupName: "shop", namespaceMapping: { [shop]: `${shop}-${suffix}` }, ...more });
    const listed = async (restore: string) => (await unpacked(own(), `restores/${restore}/restore-${restore}-resource-list.json.gz`)) as Record<string, readonly string[]>;

    test("a restore into a new namespace walks through its phases, counts, labels, and leaves its files", async ({ expect }) => {
      const watch = await velero.watch("restores");
      const done = await velero.restore("mapped", mapped("mapped"));
      const target = `${shop}-mapped`;
      expect(await phasesUntil("Completed", watch, "mapped", speaker.patienceMs)).toEqual(["", "InProgress", "Finalizing", "Completed"]);
      const { progress, ...status } = done.status as { readonly progress: { readonly totalItems: number; readonly itemsRestored: number } } & Record<string, unknown>;
      expect(Object.keys(status).toSorted()).toEqual(["completionTimestamp", "hookStatus", "phase", "startTimestamp", "warnings"]);
      expect(status).toMatchObject({ phase: "Completed", warnings: 1, hookStatus: {} });
      expect(progress.itemsRestored).toBe(progress.totalItems);
      expect(done.metadata.finalizers).toEqual(["restores.velero.io/external-resources-finalizer"]);
      expect(done.spec).toMatchObject({ itemOperationTimeout: "4h0m0s", excludedResources: ["nodes", "events", "events.events.k8s.io", "backups.velero.io", "restores.velero.io", "resticrepositories.velero.io", "csinodes.storage.k8s.io", "volumeattachments.storage.k8s.io", "backuprepositories.velero.io"] });
      expect((await namesIn(own(), "restores/mapped/")).toSorted()).toEqual(["mapped-volumeinfo.json.gz", "restore-mapped-itemoperations.json.gz", "restore-mapped-logs.gz", "restore-mapped-resource-list.json.gz", "restore-mapped-results.gz"].map((file) => `restores/mapped/${file}`).toSorted());
      const { errors, warnings } = await velero.results(own(), "mapped");
      expect(errors).toEqual({});
      expect(warnings.namespaces?.[target]).toEqual(["could not restore, ConfigMap:kube-root-ca.crt already exists. Warning: the in-cluster version is different than the backed-up version"]);
      expect(await listed("mapped")).toMatchObject({ "v1/Namespace": [`${target}(created)`], "v1/ConfigMap": [`${target}/kube-root-ca.crt(failed)`, `${target}/plain(created)`, `${target}/settings(created)`], "apps/v1/Deployment": [`${target}/web(created)`] });
      const settings = await velero.wire.get(configMap(target, "settings"));
      expect(settings).toMatchObject({ data: { banner: "Winter sale" }, metadata: { labels: { app: "web", "velero.io/backup-name": "shop", "velero.io/restore-name": "mapped" } } });
      const original = await velero.wire.get(configMap(shop, "settings"));
      expect(settings.metadata.uid).not.toBe(original.metadata.uid);
      expect(settings.metadata.managedFields?.map(({ manager }) => manager)).toEqual(["contract"]);
      const service = (at: string) => velero.wire.get(`/api/v1/namespaces/${at}/services/web`);
      expect((await service(target)).spec?.["clusterIP"]).not.toBe((await service(shop)).spec?.["clusterIP"]);
      await readyShop(velero, target, speaker.patienceMs);
      expect((await velero.wire.list(`/api/v1/namespaces/${target}/pods`)).length).toBe(2);
    });

    test("over objects that are there a restore is Completed and changes nothing; it warns of what differs", async ({ expect }) => {
      await velero.wire.patch(configMap(shop, "settings"), { data: { banner: "Changed" } });
      const again = await velero.restore("again", { backupName: "shop" });
      expect(phaseOf(again)).toBe("Completed");
      expect(again.status).not.toHaveProperty("errors");
      expect((await velero.wire.get(configMap(shop, "settings"))).data).toEqual({ banner: "Changed" });
      const { errors, warnings } = await velero.results(own(), "again");
      expect(errors).toEqual({});
      const said = warnings.namespaces?.[shop] ?? [];
      expect(again.status?.["warnings"]).toBe(said.length);
      // Pods are where they were not, a service comes out of its own action changed; a deployment is as it was.
      const kinds = said.map((message) => /^could not restore, (\w+):\S+ already exists\. Warning: the in-cluster version is different than the backed-up version$/.exec(message)?.[1] ?? message);
      // A slice is written anew by its controller: before this restore looks at it, or after.
      expect(kinds.filter((kind) => kind !== "EndpointSlice").toSorted()).toEqual(["ConfigMap", "Pod", "Pod", "Service"]);
      expect((await listed("again"))["v1/Namespace"]).toBeUndefined();
      expect((await listed("again"))["v1/ConfigMap"]).toContain(`${shop}/settings(failed)`);
    });

    test("with the policy none the warning names it otherwise; with update what differs is changed", async ({ expect }) => {
      const none = await velero.restore("policy-none", { backupName: "shop", existingResourcePolicy: "none", includedResources: ["configmaps"] });
      expect(none.status).toMatchObject({ phase: "Completed", warnings: 1 });
      expect((await velero.results(own(), "policy-none")).warnings.namespaces?.[shop]).toContain('could not restore, ConfigMap "settings" already exists. Warning: the in-cluster version is different than the backed-up version');
      const update = await velero.restore("policy-update", { backupName: "shop", existingResourcePolicy: "update", includedResources: ["configmaps"] });
      expect(update.status).toMatchObject({ phase: "Completed" });
      expect(await velero.wire.get(configMap(shop, "settings"))).toMatchObject({ data: { banner: "Winter sale" }, metadata: { labels: { "velero.io/restore-name": "policy-update" } } });
      expect((await listed("policy-update"))["v1/ConfigMap"]).toContain(`${shop}/settings(updated)`);
    });

    test("what is gone comes back beside what is there", async ({ expect }) => {
      await velero.wire.ask("DELETE", configMap(shop, "plain"));
      await velero.restore("beside", { backupName: "shop", includedResources: ["configmaps"] });
      expect((await velero.wire.get(configMap(shop, "plain"))).data).toEqual({ text: "plain" });
      expect((await listed("beside"))["v1/ConfigMap"]).toContain(`${shop}/plain(created)`);
    });

    test("what cannot be is FailedValidation, with every reason", async ({ expect }) => {
      const errors = async (name: string, spec: Record<string, unknown>) => {
        const { status } = await velero.restore(name, spec);
        expect(status).toMatchObject({ phase: "FailedValidation" });
        expect(status).not.toHaveProperty("startTimestamp");
        return status?.["validationErrors"];
      };
      expect(await errors("bad-missing", { backupName: "no-such-backup" })).toEqual([`Error retrieving backup: can't find backup velero/no-such-backup: Backup.velero.io "no-such-backup" not found`]);
      expect(await errors("bad-both", { backupName: "shop", scheduleName: "hourly" })).toEqual(["Either a backup or schedule must be specified as a source for the restore, but not both"]);
      expect(await errors("bad-none", {})).toEqual(["Either a backup or schedule must be specified as a source for the restore, but not both"]);
      expect(await errors("bad-schedule", { scheduleName: "hourly" })).toEqual(["No backups found for schedule", "No completed backups found for schedule"]);
      expect(await errors("bad-policy", { backupName: "shop", existingResourcePolicy: "replace" })).toEqual(["Invalid ExistingResourcePolicy: replace"]);
      expect(await errors("bad-lists", { backupName: "shop", includedNamespaces: ["a"], excludedNamespaces: ["a"] })).toEqual(["Invalid included/excluded namespace lists: excludes list cannot contain an item in the includes list: a"]);
      expect(await errors("bad-selectors", { backupName: "shop", labelSelector: { matchLabels: { a: "b" } }, orLabelSelectors: [{ matchLabels: { a: "c" } }] })).toEqual(["encountered labelSelector as well as orLabelSelectors in restore spec, only one can be specified"]);
      expect(await errors("bad-nodes", { backupName: "shop", includedResources: ["nodes"] })).toEqual(["nodes are non-restorable resources", "Invalid included/excluded resource lists: excludes list cannot contain an item in the includes list: nodes"]);
      expect(await errors("bad-modifier", { backupName: "shop", resourceModifier: { kind: "configmap", name: "no-such-rules" } })).toEqual([expect.stringContaining("failed to get resource modifiers configmap velero/no-such-rules") as string]);
      await velero.wire.create("/api/v1/namespaces/velero/configmaps", { metadata: { name: "bad-rules" }, data: { rules: "version: v1\nresourceModifierRules:\n- conditions:\n    groupResource: configmaps\n  nonsense: true\n" } });
      expect(await errors("bad-rules", { backupName: "shop", resourceModifier: { kind: "configmap", name: "bad-rules" } })).toEqual([expect.stringMatching(/^Error in parsing resource modifiers provided in configmap velero\/bad-rules/) as string]);
      await velero.wire.ask("DELETE", configMap("velero", "bad-rules"));
    });

    test("a modifier changes objects on their way in, by name, kind and present value", async ({ expect }) => {
      const rules = `version: v1
resourceModifierRules:
- conditions:
    groupResource: deployments.apps
    resourceNameRegex: "^web$"
    namespaces: ["${shop}"]
  patches:
  - operation: replace
    path: "/spec/replicas"
    value: "0"
- conditions:
    groupResource: configmaps
    resourceNameRegex: "^settings$"
    matches:
    - path: "/data/banner"
      value: Winter sale
  patches:
  - operation: add
    path: "/data/region"
    value: northeurope
- conditions:
    groupResource: configmaps
    resourceNameRegex: "^plain$"
    matches:
    - path: "/data/text"
      value: something else
  patches:
  - operation: remove
    path: "/data/text"
- conditions:
    groupResource: services
  mergePatches:
  - patchData: |
      {"metadata":{"annotations":{"drill":"yes"}}}
`;
      await velero.wire.create("/api/v1/namespaces/velero/configmaps", { metadata: { name: "rules" }, data: { "rules.yaml": rules } });
      const done = await velero.restore("modified", mapped("modified", { resourceModifier: { kind: "configmap", name: "rules" }, excludedResources: ["pods", "replicasets.apps"] }));
      expect(done.status).toMatchObject({ phase: "Completed" });
      const target = `${shop}-modified`;
      expect((await velero.wire.get(`/apis/apps/v1/namespaces/${target}/deployments/web`)).spec?.["replicas"]).toBe(0);
      expect((await velero.wire.get(configMap(target, "settings"))).data).toEqual({ banner: "Winter sale", region: "northeurope" });
      expect((await velero.wire.get(configMap(target, "plain"))).data).toEqual({ text: "plain" });
      expect((await velero.wire.get(`/api/v1/namespaces/${target}/services/web`)).metadata.annotations).toMatchObject({ drill: "yes" });
      await velero.wire.ask("DELETE", configMap("velero", "rules"));
    });

    test("what a quota has no room for is an error of its own: PartiallyFailed, and the rest is there", async ({ expect }) => {
      const target = `${shop}-tight`;
      await velero.wire.create("/api/v1/namespaces", { metadata: { name: target } });
      await velero.wire.create(`/api/v1/namespaces/${target}/resourcequotas`, { metadata: { name: "tight" }, spec: { hard: { "count/services": "0", secrets: "0" } } });
      await eventually("the quota's count", speaker.patienceMs, async () => (await velero.wire.get(`/api/v1/namespaces/${target}/resourcequotas/tight`)).status?.["used"]);
      const watch = await velero.watch("restores");
      const done = await velero.restore("tight", mapped("tight"));
      expect(await phasesUntil("PartiallyFailed", watch, "tight", speaker.patienceMs)).toEqual(["", "InProgress", "FinalizingPartiallyFailed", "PartiallyFailed"]);
      expect(done.status).toMatchObject({ phase: "PartiallyFailed", errors: 2, warnings: 1 });
      const { errors } = await velero.results(own(), "tight");
      expect(errors.namespaces?.[target]?.toSorted()).toEqual([
        `error restoring secrets/${target}/key: secrets "key" is forbidden: exceeded quota: tight, requested: secrets=1, used: secrets=0, limited: secrets=0`,
        `error restoring services/${target}/web: services "web" is forbidden: exceeded quota: tight, requested: count/services=1, used: count/services=0, limited: count/services=0`,
      ]);
      await readyShop(velero, target, speaker.patienceMs);
    });

    test("a restore that is deleted takes its files with it, and nothing else", async ({ expect }) => {
      await velero.remove("restores", "mapped");
      await velero.gone("restores", "mapped");
      expect(await namesIn(own(), "restores/mapped/")).toEqual([]);
      expect((await velero.wire.get(configMap(`${shop}-mapped`, "settings"))).data).toEqual({ banner: "Winter sale" });
    });

    test("restores are worked on one after the other", async ({ expect }) => {
      const watch = await velero.watch("restores");
      for (const suffix of ["first", "second"]) await velero.create("restores", suffix, mapped(suffix, { includedResources: ["configmaps"] }));
      await velero.until("restores", "second", (object) => phaseOf(object) === "Completed");
      watch.close();
      const seen = watch.events.map(({ object }) => object).filter(({ metadata }) => metadata.name === "first" || metadata.name === "second");
      const at = (restore: string, phase: string) => seen.findIndex((object: Seen) => object.metadata.name === restore && phaseOf(object) === phase);
      expect(at("second", "InProgress")).toBeGreaterThan(at("first", "InProgress"));
      expect(at("first", "Finalizing")).toBeGreaterThan(-1);
      expect(at("second", "InProgress")).toBeGreaterThan(at("first", "Finalizing"));
    });

    test("a namespace that is lost comes back whole", async ({ expect }) => {
      const lost = await smallShop(velero, speaker.patienceMs);
      await velero.backup("lost", { includedNamespaces: [lost], storageLocation: "kept" });
      await velero.wire.ask("DELETE", `/api/v1/namespaces/${lost}`);
      await eventually("its end", speaker.patienceMs, async () => ((await velero.wire.ask("GET", `/api/v1/namespaces/${lost}`)).status === 404 ? true : null));
      const done = await velero.restore("lost", { backupName: "lost", includedNamespaces: [lost] });
      expect(done.status).toMatchObject({ phase: "Completed", warnings: 1 });
      await readyShop(velero, lost, speaker.patienceMs);
      expect((await velero.wire.get(configMap(lost, "settings"))).data).toEqual({ banner: "Winter sale" });
    });
  });
}
