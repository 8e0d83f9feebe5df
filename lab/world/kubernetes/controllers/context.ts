/** What every controller of one cluster is given. */
import type { RegionName } from "../../pair.ts";
import type { LabWorld } from "../../world.ts";
import type { Store } from "../store.ts";
import type { VolumeFiles } from "../volume-files.ts";

/** A machine of the cluster, as whoever runs the machines says. */
export interface Machine {
  readonly name: string;
  readonly pool: string;
  readonly ready: boolean;
}

/** What pods may ask of one machine. */
export interface Allocatable {
  readonly cpuMillicores: number;
  readonly pods: number;
}

export interface ControllerContext {
  readonly world: LabWorld;
  readonly region: RegionName;
  readonly store: Store;
  readonly files: VolumeFiles;
  readonly allocatable: Allocatable;
  readonly machines: () => readonly Machine[];
}
