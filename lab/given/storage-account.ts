/** The storage account that both given clusters reach, from its connection string; and the containers that the lab has there for a run. */
import { setTimeout as wait } from "node:timers/promises";
import { BlobServiceClient, type ContainerClient, RestError } from "@azure/storage-blob";
import { GivenRefused, ownName } from "./given.ts";

export interface GivenAccount {
  readonly name: string;
  /** In base64. */
  readonly key: string;
  /** The blob endpoint, without a slash at its end. */
  readonly url: string;
  container(name: string): ContainerClient;
}

/** Names of the lab's containers there: what the primary's Velero writes, what the secondary's reads, and what that one writes itself. */
export const givenContainers = { default: `${ownName}-primary`, replica: `${ownName}-replica`, own: `${ownName}-own` } as const;

const timeoutMs = 10_000;

/** Throws a `GivenRefused`; the connection string is in no message. */
export function accountIn(connection: string): GivenAccount {
  const parts = new Map(connection.split(";").map((part) => [part.slice(0, part.indexOf("=")).trim(), part.slice(part.indexOf("=") + 1).trim()]));
  const [name, key] = [parts.get("AccountName"), parts.get("AccountKey")];
  if (name === undefined || key === undefined) throw new GivenRefused("AZURE_STORAGE_CONNECTION_STRING has no AccountName and AccountKey: Velero signs with the key here; take the string that `az storage account show-connection-string` prints");
  try {
    const service = BlobServiceClient.fromConnectionString(connection, { retryOptions: { maxTries: 2, tryTimeoutInMs: timeoutMs } });
    return { name, key, url: service.url.replace(/\/$/, ""), container: (container) => service.getContainerClient(container) };
  } catch {
    throw new GivenRefused("AZURE_STORAGE_CONNECTION_STRING is no connection string of a storage account: take the one that `az storage account show-connection-string` prints");
  }
}

/** Whether it answers and takes the key. Throws a `GivenRefused`. */
export async function tryAccount(account: GivenAccount): Promise<void> {
  try {
    await account.container(givenContainers.default).exists();
  } catch (error) {
    throw refusedBy(account, "the storage account cannot be used", error);
  }
}

/** Makes the lab's containers, and empties those that an earlier run has left. Aborted it waits for nothing more. Throws a `GivenRefused`. */
export async function openContainers(account: GivenAccount, signal?: AbortSignal): Promise<void> {
  for (const name of Object.values(givenContainers)) {
    const container = account.container(name);
    try {
      await createdOnceGone(container, signal);
      for await (const { name: blob } of container.listBlobsFlat()) await container.deleteBlob(blob, { deleteSnapshots: "include" });
    } catch (error) {
      throw refusedBy(account, `the container ${name} cannot be made ready`, error);
    }
  }
}

/** A container that was removed keeps its name from a new one for at least 30 seconds (Azure, Delete Container). */
const beingDeletedMsMax = 180_000;
const beingDeletedLookMs = 1_000;

async function createdOnceGone(container: ContainerClient, signal: AbortSignal | undefined): Promise<void> {
  for (const giveUpAt = performance.now() + beingDeletedMsMax; ; await wait(beingDeletedLookMs, undefined, signal ? { signal } : {})) {
    try {
      await container.createIfNotExists();
      return;
    } catch (error) {
      if (!(error instanceof RestError) || error.code !== "ContainerBeingDeleted" || performance.now() > giveUpAt) throw error;
    }
  }
}

export async function removeContainers(account: GivenAccount): Promise<void> {
  await Promise.all(Object.values(givenContainers).map((name) => account.container(name).deleteIfExists()));
}

const refusedBy = ({ url }: GivenAccount, what: string, error: unknown) => new GivenRefused(`${what}, ${url}: ${saidBy(error)}; the key must be the account's own, and its firewall must let this machine and both clusters in`);

function saidBy(error: unknown): string {
  if (error instanceof RestError) return error.code ?? `status ${error.statusCode}`;
  return error instanceof Error ? error.message : String(error);
}
