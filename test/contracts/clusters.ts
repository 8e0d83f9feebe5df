import { describe, test } from "vitest";
import { type Kind, kinds } from "../../shared/domain/kinds.ts";
import type { Cluster, Clusters } from "../../shared/ports.ts";

export interface ClusterStage {
  readonly cluster: Cluster;
  /** A namespace that exists and has no ConfigMaps of ours. */
  readonly namespace: string;
}

const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels }, data });
const unknownKind: Kind = { apiVersion: "nowhere.example.com/v1", plural: "widgets", namespaced: true };

/** What every Cluster must do. */
export function clusterContract(name: string, open: () => Promise<ClusterStage>): void {
  describe(`${name} keeps the cluster contract`, () => {
    test("an API server that answers is ready", async ({ expect }) => {
      expect(await (await open()).cluster.ready(5)).toEqual({ kind: "ready" });
    });

    test("an object is created once, and a second create shows the first unchanged", async ({ expect }) => {
      const { cluster, namespace } = await open();
      expect(await cluster.get(kinds.configMaps, namespace, "shop")).toBeNull();
      const created = await cluster.create(kinds.configMaps, configMap(namespace, "shop", { banner: "first" }));
      expect(created).toMatchObject({ kind: "created", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shop", namespace, uid: expect.stringMatching(/.+/) as string }, data: { banner: "first" } } });
      const again = await cluster.create(kinds.configMaps, configMap(namespace, "shop", { banner: "second" }));
      expect(again).toEqual({ kind: "exists", object: created.object });
      expect(await cluster.get(kinds.configMaps, namespace, "shop")).toEqual(created.object);
    });

    test("of ten creates at once exactly one makes the object", async ({ expect }) => {
      const { cluster, namespace } = await open();
      const created = await Promise.all(Array.from({ length: 10 }, (_, at) => cluster.create(kinds.configMaps, configMap(namespace, "race", { writer: String(at) }))));
      expect(created.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(new Set(created.map(({ object }) => object.metadata.uid)).size).toBe(1);
    });

    test("a patch changes what it names, takes away what it sets to null and leaves the rest", async ({ expect }) => {
      const { cluster, namespace } = await open();
      await cluster.create(kinds.configMaps, configMap(namespace, "shop", { banner: "old", extra: "x", kept: "y" }));
      const patched = await cluster.patch(kinds.configMaps, namespace, "shop", { metadata: { annotations: { "lifeboat.dev/run": "shop-7" } }, data: { banner: "new", extra: null } });
      expect(patched).toMatchObject({ metadata: { name: "shop", annotations: { "lifeboat.dev/run": "shop-7" } } });
      expect(patched?.["data"]).toEqual({ banner: "new", kept: "y" });
      expect(await cluster.get(kinds.configMaps, namespace, "shop")).toEqual(patched);
      expect(await cluster.patch(kinds.configMaps, namespace, "nothing", { data: {} })).toBeNull();
    });

    test("a deleted object is gone, and deleting it again is done already", async ({ expect }) => {
      const { cluster, namespace } = await open();
      await cluster.create(kinds.configMaps, configMap(namespace, "shop", {}));
      await cluster.delete(kinds.configMaps, namespace, "shop");
      await cluster.delete(kinds.configMaps, namespace, "shop");
      expect(await cluster.get(kinds.configMaps, namespace, "shop")).toBeNull();
    });

    test("a list has what is in the namespace, what carries the label, or all", async ({ expect }) => {
      const { cluster, namespace } = await open();
      for (const [name, tier] of [["a", "web"], ["b", "data"], ["c", "web"]] as const) await cluster.create(kinds.configMaps, configMap(namespace, name, {}, { "lifeboat.dev/tier": tier }));
      const names = async (within: string | null, selector?: string) => (await cluster.list(kinds.configMaps, within, selector))?.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      expect(await names(namespace, "lifeboat.dev/tier")).toEqual(["a", "b", "c"].map((name) => `${namespace}/${name}`));
      expect(await names(namespace, "lifeboat.dev/tier=web")).toEqual([`${namespace}/a`, `${namespace}/c`]);
      expect(await names(null)).toEqual(expect.arrayContaining([`${namespace}/a`, `${namespace}/b`]));
      expect(await names("no-such-namespace")).toEqual([]);
      // What a list says once about all of its items is said of each of them.
      expect(await cluster.list(kinds.configMaps, namespace, "lifeboat.dev/tier=data")).toMatchObject([{ apiVersion: "v1", kind: "ConfigMap" }]);
      expect((await cluster.list(kinds.namespaces, null))?.map(({ metadata }) => metadata.name)).toContain(namespace);
    });

    test("a kind that the cluster does not know has no list and no objects, and none can be made", async ({ expect }) => {
      const { cluster, namespace } = await open();
      expect(await cluster.list(unknownKind, null)).toBeNull();
      expect(await cluster.get(unknownKind, namespace, "one")).toBeNull();
      await expect(cluster.create(unknownKind, { apiVersion: unknownKind.apiVersion, kind: "Widget", metadata: { name: "one", namespace } })).rejects.toMatchObject({ name: "WorldError" });
    });

    test("what it serves in an API version is known by its kinds, without their subresources; a version that it does not serve is null", async ({ expect }) => {
      const { cluster } = await open();
      const core = await cluster.serves?.("v1");
      expect(core).toEqual(expect.arrayContaining(["ConfigMap", "Namespace", "Pod"]));
      expect(new Set(core).size).toBe(core?.length);
      expect(await cluster.serves?.("apps/v1")).toContain("Deployment");
      expect(await cluster.serves?.("nowhere.example.com/v1")).toBeNull();
    });

    test("nothing can be made in a namespace that is not there", async ({ expect }) => {
      const { cluster } = await open();
      await expect(cluster.create(kinds.configMaps, configMap("no-such-namespace", "shop", {}))).rejects.toMatchObject({ name: "WorldError" });
    });
  });
}

export interface ClustersStage {
  readonly clusters: Clusters;
  /** Resource id of a cluster that answers and was never asked before. */
  readonly cluster: string;
  /** ARM answers nobody from now on. */
  readonly loseArm: () => void;
}

/** What every Clusters must do. */
export function clustersContract(name: string, open: () => Promise<ClustersStage>): void {
  describe(`${name} keeps the clusters contract`, () => {
    test("a cluster that was reached once is reached again without ARM", async ({ expect }) => {
      const { clusters, cluster, loseArm } = await open();
      expect(await (await clusters.of(cluster)).ready(5)).toEqual({ kind: "ready" });
      loseArm();
      expect(await (await clusters.of(cluster)).ready(5)).toEqual({ kind: "ready" });
    });

    test("a cluster that was never reached cannot be without ARM", async ({ expect }) => {
      const { clusters, cluster, loseArm } = await open();
      loseArm();
      await expect(clusters.of(cluster)).rejects.toMatchObject({ name: "WorldError" });
    });
  });
}
