/**
 * What makes a region's cluster run: the double of `lab/world`, or real programs. All that the lab asks of either is here; whatever is above
 * does not know which it has, and the app cannot.
 */
import type { Authority } from "../faces/certificates.ts";
import type { Aks } from "../world/aks.ts";
import type { ClusterObjects } from "../world/cluster-objects.ts";
import type { Identity } from "../world/identity.ts";
import type { RegionName } from "../world/pair.ts";
import type { LabWorld } from "../world/world.ts";

/** One region's cluster with its Velero. It follows `world.reach`: a lost region is dead until it is given back. */
export interface RegionEngine {
  readonly region: RegionName;
  /** `https://127.0.0.1:PORT`, with a certificate of the lab's authority: what the kubeconfig names. */
  readonly apiUrl: string;
  /** The API server as what runs in the cluster reaches it, also while the region is cut off from everything else; `null`: it is not reached so. */
  readonly insideUrl: string | null;
  /** What ingress and checks see. */
  readonly objects: ClusterObjects;
  /** A bearer token that may do everything in this cluster: the operator's. */
  readonly operatorToken: () => Promise<string>;
  /** Name of the storage location that a backup made here goes to. */
  readonly backupLocation: string;
  /** Ends Velero's server in the middle of whatever it does; it starts again, as a container does. */
  readonly crashVelero: () => Promise<void>;
  /** The files of volumes as they are; `null` where a recorded snapshot's name stands for them. */
  readonly volumes: VolumeHands | null;
}

/** What a container with the volume mounted could do. */
export interface VolumeHands {
  /** Throws when the claim is not bound. */
  write(namespace: string, claim: string, file: string, bytes: Uint8Array): Promise<void>;
  /** SHA-256 in lower-case hex; `null`: there is no such file. */
  digest(namespace: string, claim: string, file: string): Promise<string | null>;
}

export interface EngineParts {
  readonly world: LabWorld;
  readonly topology: "shared" | "replicated";
  readonly aks: Aks;
  readonly identity: Identity;
  readonly authority: Authority;
  /** Of the storage front, `http://127.0.0.1:4321`. */
  readonly frontUrl: string;
  /** Told what is being done, in a few words. */
  readonly onStage: (stage: string) => void;
  /** What ends what was opened, in the opposite order: at the end, or when the rest fails. */
  readonly undo: (step: () => unknown) => void;
}

/** Brings both regions up as they are on a quiet day: the applications in the primary, nothing but Velero in the secondary. */
export type OpenEngines = (parts: EngineParts) => Promise<Readonly<Record<RegionName, RegionEngine>>>;
