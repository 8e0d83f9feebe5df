/** How each program of a real region is built: from which Go module, with which stamps. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The versions whose behaviour the doubles imitate. */
export const versions = { kubernetes: "v1.34.4", velero: "v1.18.3" } as const;

export interface Recipe {
  /** Its file in the folder of programs. */
  readonly file: string;
  /** The folder of its Go module, absolute. */
  readonly module: string;
  readonly package: string;
  /** Variables that the linker sets, `path.name=value`. */
  readonly stamps: readonly string[];
}

const modules = fileURLToPath(new URL("./programs/", import.meta.url));
const recipe = (file: string, module: string, packageName = ".", stamps: readonly string[] = []): Recipe => ({ file, module: path.join(modules, module), package: packageName, stamps });

const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(versions.kubernetes) ?? [];
const kubernetesStamps = [`gitVersion=${versions.kubernetes}`, `gitMajor=${major}`, `gitMinor=${minor}`].map((stamp) => `k8s.io/component-base/version.${stamp}`);
const kubernetes = (name: string) => recipe(name, "kube", `k8s.io/kubernetes/cmd/${name}`, kubernetesStamps);

/** In the order in which they are built; `guard`, the smallest, shows first whether Go works at all. */
export const recipes: readonly Recipe[] = [
  recipe("guard", "guard"),
  recipe("etcd", "etcd"),
  kubernetes("kube-apiserver"),
  kubernetes("kube-controller-manager"),
  kubernetes("kube-scheduler"),
  kubernetes("kubectl"),
  recipe("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
  recipe("velero", "velero", "./server", [`github.com/vmware-tanzu/velero/pkg/buildinfo.Version=${versions.velero}`]),
  recipe("plugins/velero-plugin-for-azurite", "velero", "./store"),
];

/** Of everything that goes into a program: whoever has the same has nothing to build. */
export function sourcesDigest({ module, package: packageName, stamps }: Recipe): string {
  const hash = createHash("sha256").update(JSON.stringify([packageName, stamps]));
  for (const file of readdirSync(module, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(?:go|mod|sum)$/.test(file)) hash.update(`\0${file}\0`).update(readFileSync(path.join(module, file)));
  }
  return hash.digest("hex");
}
