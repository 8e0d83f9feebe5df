/** The lease agent under its own manifest at a real API server: what `agent/deploy.yaml` gives its service account is enough to stop the shop and give it back, and no more. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { LeaseAgent } from "../../agent/lease-agent.ts";
import { openMemory } from "../../agent/memory.ts";
import type { ApiObject } from "../../lab/real/api.ts";
import { type RealCluster, startRealCluster } from "../../lab/real/cluster.ts";
import { openCluster } from "../../shared/kubernetes/cluster.ts";
import { agentStage } from "../agent/stage.ts";
import { eventually } from "./machine.ts";

const programs = inject("realPrograms");

describe.skipIf(programs === null)("the lease agent at a real API server", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-real-"));
  let cluster: RealCluster;
  let token = "";

  beforeAll(async () => {
    if (programs === null) return;
    cluster = await startRealCluster({ programs, directory, region: "westeurope", nodes: ["aks-user-20261121-vmss000000"] });
    for (const name of ["shop", "velero"]) await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const manifest = readFileSync(new URL("../../agent/deploy.yaml", import.meta.url), "utf8");
    for (const document of parseAllDocuments(manifest)) await cluster.api.apply(document.toJS() as ApiObject);
    const labels = { app: "storefront" };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "storefront", image: "storefront:1" }] } } };
    await cluster.api.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "storefront", namespace: "shop" }, spec });
    const issued = await cluster.api.request("POST", "/api/v1/namespaces/lifeboat/serviceaccounts/lifeboat-agent/token", { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} });
    token = (issued.body["status"] as { readonly token: string }).token;
    await eventually("two pods of the shop", 30, async () => (await pods()).length === 2);
  });
  afterAll(async () => {
    await cluster?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const pods = () => cluster.api.list("/api/v1/namespaces/shop/pods");
  const replicas = async () => ((await cluster.api.get("/apis/apps/v1/namespaces/shop/deployments/storefront"))?.["spec"] as { readonly replicas?: number } | undefined)?.replicas;

  test("may look at all that it would stop, keep its plan, stop the shop and give it back", async () => {
    const own = openCluster("this cluster", { server: cluster.url, ca: cluster.caPem, token: () => Promise.resolve(token), deadlineSeconds: 10 });
    const stage = await agentStage({ cluster: own, memory: openMemory(own, "lifeboat", "shop"), limits: { seconds: 30, podPausesMs: Array<number>(40).fill(500) } });
    await stage.settle();
    expect(stage.lease()).toMatchObject({ clusterSilent: null, state: { kind: "serving" } });
    const second = new LeaseAgent(stage.parts);
    await second.recall();
    expect((await cluster.api.get("/api/v1/namespaces/lifeboat/configmaps/lifeboat-agent-shop"))?.["data"]).toMatchObject({ "plan.yaml": expect.stringContaining("plan: shop") as string });
    expect(stage.said("agent.forgot")).toEqual([]);
    expect(stage.said("agent.not-remembered")).toEqual([]);

    await stage.asks("close", 7);
    await stage.settle();
    expect([stage.lease()?.state.kind, await replicas(), await pods()]).toEqual(["closed", 0, []]);
    await stage.asks("taken-back", 7);
    await stage.settle();
    expect([stage.lease()?.state.kind, await replicas()]).toEqual(["serving", 2]);
  });

  test("may nothing else", async () => {
    const may = async (verb: string, group: string, resource: string, namespace: string): Promise<unknown> => {
      const { body } = await cluster.api.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user: "system:serviceaccount:lifeboat:lifeboat-agent", groups: ["system:serviceaccounts", "system:serviceaccounts:lifeboat", "system:authenticated"], resourceAttributes: { verb, group, resource, namespace } } });
      return (body["status"] as { readonly allowed?: boolean }).allowed;
    };
    expect(await may("patch", "apps", "deployments", "shop")).toBe(true);
    for (const [verb, group, resource, namespace] of [
      ["delete", "", "pods", "shop"],
      ["get", "", "secrets", "shop"],
      ["list", "", "secrets", "lifeboat"],
      ["patch", "apps", "deployments", "kube-system"],
      ["get", "", "configmaps", "shop"],
      ["create", "apps", "deployments", "shop"],
      ["delete", "velero.io", "backups", "velero"],
    ] as const)
      expect(await may(verb, group, resource, namespace), `${verb} ${resource} in ${namespace}`).toBe(false);
  });
});
