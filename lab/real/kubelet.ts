/**
 * What KWOK lacks of a kubelet and of a disk driver, and Velero's movement of data needs: folders for the volumes of pods, volumes for
 * claims, Velero's own containers as processes, pods that wait for their data.
 */
import type { ApiConnection } from "./api.ts";
import { openDiskDriver } from "./disk-driver.ts";
import { openMovers } from "./movers.ts";
import { openPodFolders } from "./pod-folders.ts";
import { type Claim, type Pod, setPodStatus, type Volume } from "./pods.ts";
import type { Program } from "./program.ts";
import { waiterOf, waitState } from "./restore-wait.ts";
import { openServants } from "./servants.ts";
import { isMover, roleOf, type VeleroPrograms } from "./velero-programs.ts";
import type { Disks } from "./volumes.ts";
import { watchObjects } from "./watch.ts";

export interface KubeletOptions {
  readonly api: ApiConnection;
  readonly region: string;
  readonly disks: Disks;
  readonly velero: VeleroPrograms;
  /** Told a line of its log. */
  readonly say: (line: string) => void;
}

/** Names of the programs that run as Velero's containers: `velero`, `node-agent-NODE`. */
export type ServantMatch = (name: string) => boolean;

export interface Kubelet {
  /** Does nothing more until `resume`; what runs goes on. */
  pause(): void;
  resume(): void;
  /** Ends those programs and starts none of them until `resumeServants`, which must be given the same function. */
  suspendServants(matches: ServantMatch): Promise<void>;
  resumeServants(matches: ServantMatch): void;
  /** Ends those programs in the middle of whatever they do, and starts them again as a kubelet does. */
  crashServants(matches: ServantMatch): Promise<void>;
  /** The programs that it runs now, by name. */
  programs(): ReadonlyMap<string, Program>;
  /** The volume that a claim is bound to, as last seen; also when the API server is away. */
  volumeOf(namespace: string, claim: string): string | null;
  /** Everything that it runs ends at once, and it sees nothing until `resume`. */
  kill(): Promise<void>;
  /** As `kill`, and the folders of its pods are removed. */
  close(): Promise<void>;
}

/** Between two looks at the volumes of pods that wait for data. */
const lookMs = 100;
const againMs = 1_000;

export function startKubelet(options: KubeletOptions): Kubelet {
  const { api, disks, velero, say } = options;
  const folders = openPodFolders(disks);
  const driver = openDiskDriver(api, options);
  let paused = false;
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let passing: Promise<void> | null = null;
  let changed = false;

  const soon = (ms: number) => {
    if (closed || paused || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      changed = false;
      passing = pass().then((again) => {
        passing = null;
        if (changed) soon(0);
        else if (again !== null) soon(again);
      });
    }, ms);
  };
  const onChange = () => {
    changed = true;
    if (passing === null) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      soon(5);
    }
  };
  const watched = {
    pods: watchObjects(api, "/api/v1/pods", onChange),
    claims: watchObjects(api, "/api/v1/persistentvolumeclaims", onChange),
    volumes: watchObjects(api, "/api/v1/persistentvolumes", onChange),
    nodes: watchObjects(api, "/api/v1/nodes", onChange),
  };
  const servants = openServants({ start: (pod, name) => velero.serve(pod, name), say, onEnd: onChange });
  const movers = openMovers(api, velero, say);

  const volumeOf = (namespace: string, claim: string) => (watched.claims.objects.get(`${namespace}/${claim}`) as Claim | undefined)?.spec.volumeName;

  /** Looks at everything once, and says in how many milliseconds to look again though nothing has changed. */
  async function pass(): Promise<number | null> {
    let again: number | null = null;
    const attempt = async (what: string, act: () => Promise<void>) => {
      try {
        await act();
      } catch (error) {
        again ??= againMs;
        say(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
    for (const claim of watched.claims.objects.values()) await attempt(`claim ${claim.metadata.name}`, () => driver.provision(claim as Claim));
    for (const volume of watched.volumes.objects.values()) await attempt(`volume ${volume.metadata.name}`, () => driver.reclaim(volume as Volume));
    const wanted = new Map<string, Pod>();
    const here = new Map<string, Pod>();
    for (const pod of watched.pods.objects.values() as IterableIterator<Pod>) {
      if (pod.spec.nodeName === undefined || !watched.nodes.objects.has(`/${pod.spec.nodeName}`)) continue;
      here.set(pod.metadata.uid, pod);
      const bound = (claim: string) => volumeOf(pod.metadata.namespace, claim);
      await attempt(`pod ${pod.metadata.name}`, async () => {
        folders.make(pod, bound);
        const waiter = waiterOf(pod);
        if (waiter !== null) {
          const state = waitState(pod, waiter, (volume) => folders.volume(pod, volume, bound), new Date());
          if (state.kind === "waits") again = lookMs;
          if (state.kind !== "say") return;
          say(`pod ${pod.metadata.namespace}/${pod.metadata.name} ${state.what}`);
          await setPodStatus(api, pod, state.status);
        } else if (isMover(pod)) movers.take(pod);
      });
      const role = roleOf(pod);
      if (role !== null && pod.status.phase === "Running" && pod.metadata.deletionTimestamp === undefined) wanted.set(role, pod);
    }
    await attempt("pods that are gone", async () => {
      movers.keepOnly(new Set(here.keys()));
      folders.keepOnly(new Set(here.keys()));
    });
    // A node-agent that starts wants to see the folders of all pods of its node.
    if (!paused && !closed) await attempt("Velero", () => servants.keep(wanted));
    return again;
  }

  const rest = async () => {
    paused = true;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    await passing;
  };
  const endNow = () => Promise.all([movers.kill(), ...[...servants.running.values()].map((program) => program.kill())]);
  const endAll = async () => {
    paused = true;
    await endNow();
    // The look that was under way may have started something.
    await rest();
    await endNow();
  };
  return {
    pause: () => void rest(),
    resume() {
      paused = false;
      soon(0);
    },
    suspendServants: (matches) => servants.suspend(matches),
    resumeServants(matches) {
      servants.resume(matches);
      soon(0);
    },
    crashServants: (matches) => servants.crash(matches),
    programs: () => new Map([...servants.running, ...movers.running]),
    volumeOf: (namespace, claim) => volumeOf(namespace, claim) ?? null,
    kill: endAll,
    async close() {
      await endAll();
      closed = true;
      await Promise.all(Object.values(watched).map((watch) => watch.close()));
      folders.keepOnly(new Set());
    },
  };
}
