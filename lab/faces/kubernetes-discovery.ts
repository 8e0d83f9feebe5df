/** Health, version and discovery of a Kubernetes API server. */
import type { Cluster } from "../world/kubernetes/cluster.ts";
import type { ResourceKind } from "../world/kubernetes/kinds.ts";
import { kubernetesVersion } from "../world/kubernetes/version.ts";
import { type Answer, json, text } from "./answer.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** The answer to a path that is about the server itself; `null`: no such path. */
export function discoveryAnswer(cluster: Cluster, path: string): Answer | null {
  const kinds = cluster.store.kinds.all();
  switch (path) {
    case "/readyz":
    case "/livez":
    case "/healthz":
      return text(200, "ok");
    case "/version":
      return json(200, { ...kubernetesVersion, gitCommit: "", gitTreeState: "clean", buildDate: "2026-01-01T00:00:00Z", goVersion: "go1.25", compiler: "gc", platform: "linux/amd64" });
    case "/api":
      return json(200, { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
    case "/apis":
      return json(200, { kind: "APIGroupList", apiVersion: "v1", groups: [...new Set(kinds.map(({ group }) => group))].filter((group) => group !== "").map((group) => groupOf(kinds, group)) });
  }
  const [, group, version] = /^\/apis\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (path === "/api/v1") return resources(kinds, "v1");
  if (group === undefined) return null;
  if (version !== undefined) return resources(kinds, `${group}/${version}`);
  return kinds.some((kind) => kind.group === group) ? json(200, { kind: "APIGroup", apiVersion: "v1", ...groupOf(kinds, group) }) : null;
}

function groupOf(kinds: readonly ResourceKind[], group: string): Record<string, unknown> {
  const versions = [...new Set(kinds.filter((kind) => kind.group === group).map(({ version }) => version))].map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resources(kinds: readonly ResourceKind[], groupVersion: string): Answer | null {
  const own = kinds.filter((kind) => kind.apiVersion === groupVersion);
  if (own.length === 0) return null;
  const rows = own.flatMap(({ plural, singular, shortNames, kind, namespaced, statusApart }) => {
    // Namespaces are ended one by one.
    const row = { name: plural, singularName: singular, namespaced, kind, verbs: plural === "namespaces" ? verbs.filter((verb) => verb !== "deletecollection") : verbs };
    const status = { name: `${plural}/status`, singularName: "", namespaced, kind, verbs: ["get", "patch", "update"] };
    return [{ ...row, ...(shortNames.length > 0 ? { shortNames } : {}) }, ...(statusApart ? [status] : [])];
  });
  return json(200, { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: rows });
}
