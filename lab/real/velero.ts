/** A real Velero in a real cluster: what `velero install` applies, and its storage locations. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { type Api, type ApiObject, ApiRefused } from "./api.ts";
import { lastWords } from "./control.ts";
import { RealClusterFailed } from "./failed.ts";
import { openNodes } from "./nodes.ts";
import { versions } from "./recipes.ts";

/** As the double's locations: one setup serves both. */
export interface RealLocation {
  readonly name: string;
  /** Signs with this account's key. */
  readonly account: string;
  /** The blob endpoint, path style: `http://127.0.0.1:4321/stshopneu`, or `…/stshopgeo-secondary`. */
  readonly url: string;
  readonly container: string;
  readonly accessMode: "ReadWrite" | "ReadOnly";
  readonly isDefault?: boolean;
}

export interface VeleroSetup {
  readonly locations: readonly RealLocation[];
  /** Account → its key in base64; all accounts that the locations name. */
  readonly accountKeys: Readonly<Record<string, string>>;
  /** How often backups are looked for in the locations; default 60, Velero's own. */
  readonly syncPeriodSeconds?: number;
  /** How often a location is validated; default 60, Velero's own. */
  readonly validationSeconds?: number;
  /** Until all locations are Available, wall time; default 60. */
  readonly readySeconds?: number;
}

export interface VeleroPlace {
  readonly region: string;
  readonly api: Api;
  /** The program. */
  readonly velero: string;
  /** Where the keys of the accounts are kept for its processes. */
  readonly credentials: string;
  readonly home: string;
  readonly kubeconfig: string;
  readonly serverLog: string;
  /** Names of its programs that run now. */
  readonly running: () => ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

const namespace = "velero";
const locationsPath = `/apis/velero.io/v1/namespaces/${namespace}/backupstoragelocations`;
const keyVariable = (account: string) => `LAB_KEY_OF_${account.toUpperCase()}`;
const lookMs = 100;
const duration = (seconds: number) => `${seconds}s`;

/**
 * Applies all of it, and deletes the locations that are not among these. Where there are nodes for its pods, waits until every location is
 * Available and each of them has its agent; where there are none, nothing of Velero can run. Throws a `RealClusterFailed` or an `ApiRefused`.
 */
export async function applyVelero(place: VeleroPlace, setup: VeleroSetup): Promise<void> {
  const { api, region } = place;
  const without = setup.locations.find(({ account }) => setup.accountKeys[account] === undefined);
  if (without) throw new RealClusterFailed(`Velero cannot be installed in ${region}: location ${without.name} names the account ${without.account}, and its key is not given`);
  writeKeys(place.credentials, setup.accountKeys);
  const items = await installed(place, setup);
  const definitions = items.filter(({ kind }) => kind === "CustomResourceDefinition");
  await Promise.all(definitions.map((item) => api.apply(item)));
  await established(place, definitions, setup.readySeconds);
  // The namespace comes first in the list.
  for (const item of items) if (item.kind !== "CustomResourceDefinition" && item.kind !== "BackupStorageLocation") await api.apply(item);
  for (const location of setup.locations) await api.apply(locationOf(location, setup));
  const wanted = new Set(setup.locations.map(({ name }) => name));
  for (const { metadata } of await api.list(locationsPath)) {
    if (wanted.has(metadata.name)) continue;
    const answer = await api.request("DELETE", `${locationsPath}/${metadata.name}`);
    if (answer.status >= 300 && answer.status !== 404) throw new ApiRefused(`DELETE location ${metadata.name}`, answer);
  }
  await available(place, setup);
}

function writeKeys(file: string, keys: Readonly<Record<string, string>>): void {
  const lines = Object.entries(keys).map(([account, key]) => `${keyVariable(account)}=${key}`);
  writeFileSync(file, `${lines.join("\n")}\nAZURE_CLOUD_NAME=AzurePublicCloud\n`, { mode: 0o600 });
}

/** What its own command line would apply. Its containers never run, but their settings do. */
async function installed({ velero, credentials, home, kubeconfig }: VeleroPlace, { locations }: VeleroSetup): Promise<readonly ApiObject[]> {
  const args = ["install", "--provider=azure", "--plugins=velero/velero-plugin-for-microsoft-azure:v1.13.0", `--bucket=${locations[0]?.container ?? "velero"}`, `--secret-file=${credentials}`, "--use-volume-snapshots=false", "--use-node-agent", `--kubeconfig=${kubeconfig}`, "--dry-run", "--output=json"];
  const { stdout } = await promisify(execFile)(velero, args, { env: { HOME: home }, maxBuffer: 1 << 26, timeout: 60_000 });
  const { items } = JSON.parse(stdout) as { readonly items: readonly ApiObject[] };
  return items;
}

function locationOf({ name, account, url, container, accessMode, isDefault = false }: RealLocation, { syncPeriodSeconds = 60, validationSeconds = 60 }: VeleroSetup): ApiObject {
  return {
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name, namespace },
    spec: {
      provider: "azure",
      default: isDefault,
      accessMode,
      backupSyncPeriod: duration(syncPeriodSeconds),
      validationFrequency: duration(validationSeconds),
      objectStorage: { bucket: container },
      config: { storageAccount: account, storageAccountKeyEnvVar: keyVariable(account), storageAccountURI: url },
    },
  };
}

interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Its kinds are served some moments after they were applied. */
async function established(place: VeleroPlace, definitions: readonly ApiObject[], readySeconds = 60): Promise<void> {
  const names = new Set(definitions.map(({ metadata }) => metadata.name));
  await until(place, readySeconds, async () => {
    const found = await place.api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
    const served = found.filter(({ status }) => ((status ?? {}) as Conditions).conditions?.some(({ type, status }) => type === "Established" && status === "True"));
    const missing = [...names].filter((name) => !served.some(({ metadata }) => metadata.name === name));
    return missing.length === 0 ? null : `the API server does not serve ${missing.join(", ")} yet`;
  });
}

interface LocationStatus {
  readonly phase?: string;
  readonly message?: string;
}

async function available(place: VeleroPlace, { locations, readySeconds = 60 }: VeleroSetup): Promise<void> {
  const nodes = await openNodes(place.api);
  if (nodes.length === 0) return;
  await until(place, readySeconds, async () => {
    const running = place.running();
    const missing = nodes.map((node) => `node-agent-${node}`).filter((name) => !running.has(name));
    if (!running.has("velero")) return "its server does not run";
    const found = await place.api.list(locationsPath);
    for (const { name, url, container } of locations) {
      const { phase, message = "" } = (found.find(({ metadata }) => metadata.name === name)?.["status"] ?? {}) as LocationStatus;
      if (phase !== "Available") return `location ${name} (container ${container} at ${url}) is ${phase ?? "not validated yet"}${message === "" ? "" : `: ${message}`}`;
    }
    return missing.length === 0 ? null : `${missing.join(", ")} does not run`;
  });
}

/** Until there is nothing left to wait for. Throws with the last thing that there was. */
async function until({ region, serverLog, signal }: VeleroPlace, seconds: number, missing: () => Promise<string | null>): Promise<void> {
  for (const end = performance.now() + seconds * 1000; ; ) {
    signal?.throwIfAborted();
    const what = await missing();
    if (what === null) return;
    if (performance.now() > end) throw new RealClusterFailed(`Velero ${versions.velero} in ${region} did not get ready within ${seconds} s: ${what}${lastWords(serverLog)}`);
    await wait(lookMs);
  }
}
