/** The Velero of a given cluster: which it is, and the lab's own storage locations in it. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type LocationPlace, locationsOf, type Role } from "../engine/locations.ts";
import type { Api } from "../real/api.ts";
import { GivenRefused, ownName, veleroNamespace } from "./given.ts";
import { type GivenAccount, givenContainers } from "./storage-account.ts";

/** The oldest that the lab was run with; earlier ones fill volumes in another way. */
const oldest = { major: 1, minor: 18 };
const velero = `/apis/velero.io/v1/namespaces/${veleroNamespace}`;
const answerMsMax = 10_000;
const availableMsMax = 90_000;
const lookMs = 250;
const keyVariable = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY";

export interface RunningVelero {
  /** `v1.18.3` */
  readonly version: string;
  /** Whether it reads and writes Azure's storage. */
  readonly hasAzure: boolean;
}

/** What its running server says of itself, as `velero version` asks it; `null`: it does not answer. */
export async function runningVelero(api: Api): Promise<RunningVelero | null> {
  const path = `${velero}/serverstatusrequests`;
  const name = `${ownName}-${randomUUID().slice(0, 8)}`;
  const made = await api.request("POST", path, { apiVersion: "velero.io/v1", kind: "ServerStatusRequest", metadata: { name, namespace: veleroNamespace }, spec: {} });
  if (made.status >= 300) return null;
  try {
    for (const giveUpAt = performance.now() + answerMsMax; performance.now() < giveUpAt; await wait(lookMs)) {
      const { phase, serverVersion = "", plugins = [] } = ((await api.get(`${path}/${name}`))?.["status"] ?? {}) as { readonly phase?: string; readonly serverVersion?: string; readonly plugins?: readonly { readonly kind: string; readonly name: string }[] };
      if (phase === "Processed") return { version: serverVersion, hasAzure: plugins.some((plugin) => plugin.kind === "ObjectStore" && plugin.name === "velero.io/azure") };
    }
    return null;
  } finally {
    await api.request("DELETE", `${path}/${name}`);
  }
}

/** Versions of pre-releases and builds count as what they lead to. What is no version is not new enough: nobody knows what it does. */
export function isNewEnough(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > oldest.major || (Number(major) === oldest.major && Number(minor) >= oldest.minor);
}

export const oldestVelero = `${oldest.major}.${oldest.minor}`;

/** What Velero's location is called in a given cluster, and its container. Not `default`: that one is somebody's already. */
export function givenLocation({ name, ...place }: LocationPlace): LocationPlace {
  return { ...place, name: name === "default" ? ownName : name, container: givenContainers[name as keyof typeof givenContainers] };
}

/** The names of all storage locations that the lab makes in given clusters. */
export const ownLocations: readonly string[] = (["primary", "secondary"] as const).flatMap((role) => locationsOf(role, "replicated").map((place) => givenLocation(place).name));

export interface LocationsSetup {
  readonly role: Role;
  readonly topology: "shared" | "replicated";
  readonly account: GivenAccount;
  readonly signal?: AbortSignal | undefined;
}

/** Applies the lab's locations with a secret for their key, and waits until Velero has found them Available. Throws a `GivenRefused` or an `ApiRefused`. */
export async function applyLocations(api: Api, { role, topology, account, signal }: LocationsSetup): Promise<void> {
  const file = `${keyVariable}=${account.key}\nAZURE_CLOUD_NAME=AzurePublicCloud\n`;
  await api.apply({ apiVersion: "v1", kind: "Secret", metadata: { name: ownName, namespace: veleroNamespace }, stringData: { cloud: file } });
  const locations = locationsOf(role, topology).map(givenLocation);
  for (const { name, container, accessMode } of locations) {
    await api.apply({
      apiVersion: "velero.io/v1",
      kind: "BackupStorageLocation",
      metadata: { name, namespace: veleroNamespace },
      spec: {
        provider: "azure",
        accessMode,
        backupSyncPeriod: "10s",
        validationFrequency: "10s",
        objectStorage: { bucket: container },
        credential: { name: ownName, key: "cloud" },
        config: { storageAccount: account.name, storageAccountKeyEnvVar: keyVariable, storageAccountURI: account.url },
      },
    });
  }
  for (const { name, container } of locations) await available(api, name, container, account, signal);
}

async function available(api: Api, name: string, container: string, { url }: GivenAccount, signal: AbortSignal | undefined): Promise<void> {
  let last = "not validated yet";
  for (const giveUpAt = performance.now() + availableMsMax; performance.now() < giveUpAt; await wait(lookMs, undefined, signal ? { signal } : {})) {
    const { phase, message = "" } = ((await api.get(`${velero}/backupstoragelocations/${name}`))?.["status"] ?? {}) as { readonly phase?: string; readonly message?: string };
    if (phase === "Available") return;
    if (phase !== undefined) last = `${phase}${message === "" ? "" : `: ${message.split("\n", 1)[0]}`}`;
  }
  throw new GivenRefused(`Velero cannot use the storage that was given (location ${name}, container ${container} at ${url}): ${last}; the cluster must reach that address, and its Velero needs the Azure plugin`);
}
