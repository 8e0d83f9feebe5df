/** The shop's containers for clusters that really pull and run them: its own registry does not exist. */
import type { ApiObject } from "../real/api.ts";

/** Does nothing, for as long as it is let. */
const idle = "registry.k8s.io/pause:3.10";
/** Has a shell and `sha256sum`: through it the lab writes to the volume. */
const shell = { image: "busybox:1.37", command: ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"] };

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly workingDir?: string;
  readonly volumeMounts?: readonly { readonly mountPath: string }[];
}

function runnable(container: Container): Container {
  if (container.image.startsWith("shopregistry.azurecr.io/")) return { ...container, image: idle };
  const mount = container.volumeMounts?.[0]?.mountPath;
  return container.image.startsWith("postgres:") && mount !== undefined ? { ...container, ...shell, workingDir: mount } : container;
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly Container[] };
}

const withContainers = (template: PodTemplate, change: (container: Container) => Container): PodTemplate => ({ ...template, spec: { ...template.spec, containers: template.spec.containers.map(change) } });
/** A job comes to its end. */
const ending = (container: Container): Container => ({ ...container, image: shell.image, command: ["true"] });

/** The same object; a workload with containers that can run anywhere. */
export function withImages(object: ApiObject): ApiObject {
  // The lab's own manifests: each of these kinds has its template where Kubernetes has it.
  const { spec } = object as unknown as { readonly spec: { readonly template: PodTemplate; readonly jobTemplate: { readonly spec: { readonly template: PodTemplate } } } };
  switch (object.kind) {
    case "Deployment":
    case "StatefulSet":
      return { ...object, spec: { ...spec, template: withContainers(spec.template, runnable) } };
    case "CronJob":
      return { ...object, spec: { ...spec, jobTemplate: { ...spec.jobTemplate, spec: { ...spec.jobTemplate.spec, template: withContainers(spec.jobTemplate.spec.template, ending) } } } };
    default:
      return object;
  }
}
