/** How the contracts of Velero reach it: its objects through the API, its blobs in their containers, and its server by the neck. */
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import type { ContainerClient } from "@azure/storage-blob";
import { type ClusterSpeaker, eventually, type OpenWatch, type Seen, type Wire, wireTo } from "./cluster-speaker.ts";
import type { StoreName } from "./velero-storage.ts";

export interface VeleroSpeaker extends ClusterSpeaker {
  /** `config` of a storage location that points to a store. */
  config(store: StoreName): Readonly<Record<string, string>>;
  container(store: StoreName, name: string): ContainerClient;
  /** Resolves when what was written is where it is copied to. */
  settled(): Promise<void>;
  /** The cluster's own time, UTC milliseconds. */
  now(): number;
  /** Ends Velero's server as a lost pod does, in the middle of whatever it does. */
  stopVelero(): Promise<void>;
  /** Resolves when it runs. */
  startVelero(): Promise<void>;
}

export const terminal: ReadonlySet<string> = new Set(["Completed", "PartiallyFailed", "Failed", "FailedValidation"]);
const pathOf = (plural: string, name = "") => `/apis/velero.io/v1/namespaces/velero/${plural}${name === "" ? "" : `/${name}`}`;

export type VeleroPlural = "backups" | "restores" | "backupstoragelocations" | "deletebackuprequests" | "serverstatusrequests" | "schedules";
const kinds: Readonly<Record<VeleroPlural, string>> = {
  backups: "Backup",
  restores: "Restore",
  backupstoragelocations: "BackupStorageLocation",
  deletebackuprequests: "DeleteBackupRequest",
  serverstatusrequests: "ServerStatusRequest",
  schedules: "Schedule",
};

export interface Messages {
  readonly velero?: readonly string[];
  readonly cluster?: readonly string[];
  readonly namespaces?: Readonly<Record<string, readonly string[]>>;
}

export interface VeleroHand {
  readonly wire: Wire;
  create(plural: VeleroPlural, name: string, spec: Readonly<Record<string, unknown>>, metadata?: Readonly<Record<string, unknown>>): Promise<Seen>;
  read(plural: VeleroPlural, name: string): Promise<Seen>;
  /** `null`: it is not there. */
  find(plural: VeleroPlural, name: string): Promise<Seen | null>;
  patch(plural: VeleroPlural, name: string, patch: unknown): Promise<Seen>;
  remove(plural: VeleroPlural, name: string): Promise<void>;
  /** Waits until `is` holds of it. */
  until(plural: VeleroPlural, name: string, is: (object: Seen) => boolean): Promise<Seen>;
  /** Waits until it is gone. */
  gone(plural: VeleroPlural, name: string): Promise<void>;
  /** Creates a Backup and waits for its end. */
  backup(name: string, spec: Readonly<Record<string, unknown>>): Promise<Seen>;
  restore(name: string, spec: Readonly<Record<string, unknown>>): Promise<Seen>;
  watch(plural: VeleroPlural): Promise<OpenWatch>;
  /** A location that points to a container of its own, made empty unless it is there; resolves when it is Available. */
  location(name: string, store: StoreName, container: string, spec?: Readonly<Record<string, unknown>>): Promise<Seen>;
  /** What a restore's result file says, from the container of its backup. */
  results(container: ContainerClient, restore: string): Promise<{ readonly errors: Messages; readonly warnings: Messages }>;
}

export const phaseOf = ({ status }: Seen): string => (status as { readonly phase?: string } | undefined)?.phase ?? "";

/** The phases of one object in the order in which a watch told them, each once. Waits for the last of them, which a watch tells later than a read, and closes the watch. */
export async function phasesUntil(last: string, watch: OpenWatch, name: string, patienceMs: number): Promise<readonly string[]> {
  const phases = await eventually(`${last} of ${name}, by the watch`, patienceMs, () => (phasesOf(watch, name).at(-1) === last ? phasesOf(watch, name) : null), () => phasesOf(watch, name));
  watch.close();
  return phases;
}

function phasesOf(watch: OpenWatch, name: string): readonly string[] {
  const all = watch.events.filter(({ type, object }) => (type === "ADDED" || type === "MODIFIED") && object.metadata.name === name).map(({ object }) => phaseOf(object));
  return all.filter((phase, at) => phase !== all[at - 1]);
}

export function handOn(speaker: VeleroSpeaker): VeleroHand {
  const wire = wireTo(speaker);
  const { patienceMs } = speaker;
  const find: VeleroHand["find"] = async (plural, name) => {
    const { status, body, text } = await wire.ask("GET", pathOf(plural, name));
    if (status === 404) return null;
    if (status !== 200) throw new Error(`${plural}/${name}: ${status} ${text}`);
    return body as Seen;
  };
  const hand: VeleroHand = {
    wire,
    create: (plural, name, spec, metadata = {}) => wire.create(pathOf(plural), { apiVersion: "velero.io/v1", kind: kinds[plural], metadata: { name, ...metadata }, spec }),
    read: (plural, name) => wire.get(pathOf(plural, name)),
    find,
    patch: (plural, name, patch) => wire.patch(pathOf(plural, name), patch),
    async remove(plural, name) {
      const { status, text } = await wire.ask("DELETE", pathOf(plural, name));
      if (status !== 200 && status !== 404) throw new Error(`DELETE ${plural}/${name}: ${status} ${text}`);
    },
    until: (plural, name, is) =>
      eventually(
        `${plural}/${name}`,
        patienceMs,
        async () => {
          const object = await find(plural, name);
          return object && is(object) ? object : null;
        },
        async () => (await find(plural, name))?.status,
      ),
    gone: async (plural, name) => void (await eventually(`the end of ${plural}/${name}`, patienceMs, async () => ((await find(plural, name)) === null ? true : null), () => find(plural, name))),
    async backup(name, spec) {
      await hand.create("backups", name, spec);
      return hand.until("backups", name, (object) => terminal.has(phaseOf(object)));
    },
    async restore(name, spec) {
      await hand.create("restores", name, spec);
      return hand.until("restores", name, (object) => terminal.has(phaseOf(object)));
    },
    watch: (plural) => wire.watch(`${pathOf(plural)}?watch=1`),
    async location(name, store, container, spec = {}) {
      if (store !== "secondary") await speaker.container(store, container).createIfNotExists();
      await hand.create("backupstoragelocations", name, {
        provider: "azure",
        objectStorage: { bucket: container },
        config: speaker.config(store),
        accessMode: "ReadWrite",
        backupSyncPeriod: "1s",
        validationFrequency: "1s",
        ...spec,
      });
      return hand.until("backupstoragelocations", name, (object) => phaseOf(object) === "Available");
    },
    async results(container, restore) {
      return (await unpacked(container, `restores/${restore}/restore-${restore}-results.gz`)) as { errors: Messages; warnings: Messages };
    },
  };
  return hand;
}

export async function namesIn(container: ContainerClient, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat({ prefix })) names.push(name);
  return names;
}

export async function bytesOf(container: ContainerClient, name: string): Promise<Buffer> {
  const { readableStreamBody } = await container.getBlobClient(name).download();
  return readableStreamBody === undefined ? Buffer.alloc(0) : buffer(readableStreamBody);
}

/** The JSON in a `.gz`. */
export const unpacked = async (container: ContainerClient, name: string): Promise<unknown> => JSON.parse(gunzipSync(await bytesOf(container, name)).toString("utf8")) as unknown;

/** Everything under a prefix, as it is, to the same names in another container. */
export async function copyBlobs(from: ContainerClient, to: ContainerClient, prefix: string): Promise<void> {
  for (const name of await namesIn(from, prefix)) await to.getBlockBlobClient(name).uploadData(await bytesOf(from, name));
}

/** A small application in a new namespace: settings, a secret, an account, two pods behind a service. Resolves when its pods are ready. */
export async function smallShop({ wire }: Pick<VeleroHand, "wire">, patienceMs: number): Promise<string> {
  const namespace = await wire.namespace();
  const labels = { app: "web" };
  const core = `/api/v1/namespaces/${namespace}`;
  await wire.create(`${core}/configmaps`, { metadata: { name: "settings", labels }, data: { banner: "Winter sale" } });
  await wire.create(`${core}/configmaps`, { metadata: { name: "plain" }, data: { text: "plain" } });
  await wire.create(`${core}/secrets`, { metadata: { name: "key" }, stringData: { key: "made-up-key-that-opens-nothing" } });
  await wire.create(`${core}/serviceaccounts`, { metadata: { name: "robot" } });
  await wire.create(`${core}/services`, { metadata: { name: "web" }, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } });
  const pod = { metadata: { labels }, spec: { containers: [{ name: "page", image: "page:1", resources: { requests: { cpu: "10m" } } }] } };
  await wire.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, { metadata: { name: "web" }, spec: { replicas: 2, selector: { matchLabels: labels }, template: pod } });
  await readyShop({ wire }, namespace, patienceMs);
  return namespace;
}

/** Waits until the small shop's two pods are ready. */
export async function readyShop({ wire }: Pick<VeleroHand, "wire">, namespace: string, patienceMs: number): Promise<Seen> {
  const read = () => wire.get(`/apis/apps/v1/namespaces/${namespace}/deployments/web`);
  return eventually("two ready pods", patienceMs, async () => {
    const deployment = await read();
    return deployment.status?.["readyReplicas"] === 2 ? deployment : null;
  }, async () => (await read()).status);
}
