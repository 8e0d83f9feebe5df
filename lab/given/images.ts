/** The shop's containers for clusters that really pull and run them: its own registry does not exist. */
import type { ApiObject } from "../real/api.ts";

/** Does nothing, for as long as it is let. */
const idle = "registry.k8s.io/pause:3.10";
/** Has a shell and `sha256sum`: through it the lab writes to the volume. */
const shell = { image: "busybox:1.37", command: ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"] };

type Container = { readonly image: string; readonly volumeMounts?: readonly { readonly mountPath: string }[] };

function runnable(container: Container): Container {
  if (container.image.startsWith("shopregistry.azurecr.io/")) return { ...container, image: idle };
  const mount = container.volumeMounts?.[0]?.mountPath;
  return container.image.startsWith("postgres:") && mount !== undefined ? { ...container, ...shell, workingDir: mount } as Container : container;
}

/** The same object; in a Deployment or StatefulSet with containers that can run anywhere. */
export function withImages(object: ApiObject): ApiObject {
  if (object.kind !== "Deployment" && object.kind !== "StatefulSet") return object;
  const { spec } = object as unknown as { readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } } };
  const { template } = spec;
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...template.spec, containers: template.spec.containers.map(runnable) } } } };
}
