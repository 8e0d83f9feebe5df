/** What the kubelet reads of pods and claims. They come from a real API server, which has checked them. */
import { type Api, type ApiObject, ApiRefused } from "./api.ts";

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodVolume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly hostPath?: { readonly path: string };
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: { readonly running?: object; readonly terminated?: object };
}

export interface Pod extends ApiObject {
  readonly metadata: ApiObject["metadata"] & { readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly [Container, ...Container[]];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly PodVolume[];
  };
  readonly status: { readonly phase?: string; readonly initContainerStatuses?: readonly ContainerStatus[] };
}

export interface Claim extends ApiObject {
  readonly metadata: ApiObject["metadata"] & { readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly volumeName?: string;
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly resources: { readonly requests: { readonly storage: string } };
  };
  readonly status?: { readonly phase?: string };
}

export interface Volume extends ApiObject {
  readonly spec: { readonly persistentVolumeReclaimPolicy?: string; readonly csi?: { readonly driver: string } };
  readonly status?: { readonly phase?: string };
}

/** What it runs, the program itself left out: `velero pod-volume backup …` gives `pod-volume backup …`. */
export const argumentsOf = ({ command = [], args = [] }: Container): readonly string[] => [...command.slice(1), ...args];

/** As Kubernetes writes instants: whole seconds, UTC. */
export const instantText = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** As a kubelet reports it. A pod that is gone is nobody's concern. Throws when the API server refuses. */
export async function setPodStatus(api: Api, { metadata: { namespace, name } }: Pod, status: object): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  const answer = await api.request("PATCH", path, { status });
  if (answer.status >= 300 && answer.status !== 404) throw new ApiRefused(`PATCH ${path}`, answer);
}
