/** Storage for a Velero under contract: Azurite behind the lab's front, which plays the two stores that refuse writes. */
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey } from "../../lab/azurite.ts";
import { startStorage } from "../../lab/storage.ts";
import { openAccounts } from "../../lab/world/accounts.ts";
import { accounts, blobHost } from "../../lab/world/pair.ts";
import type { LabWorld } from "../../lab/world/world.ts";

/**
 * `plain` takes writes. `locked` is the destination of Object Replication, whose source is `source`: 409. `secondary` is the second copy
 * of the geo-redundant account `shared`: 403.
 */
export type StoreName = "plain" | "source" | "locked" | "shared" | "secondary";

interface Place {
  readonly account: string;
  /** The name that its host begins with. */
  readonly endpoint: string;
}

const places: Readonly<Record<StoreName, Place>> = {
  plain: { account: accounts.home.name, endpoint: accounts.home.name },
  source: { account: accounts.source.name, endpoint: accounts.source.name },
  locked: { account: accounts.replica.name, endpoint: accounts.replica.name },
  shared: { account: accounts.shared.name, endpoint: accounts.shared.name },
  secondary: { account: accounts.shared.name, endpoint: `${accounts.shared.name}-secondary` },
};

export interface VeleroStorage {
  readonly frontUrl: string;
  readonly accountKeys: Readonly<Record<string, string>>;
  /** The URL under which a client that knows nothing of the lab's host names reaches a store: `http://127.0.0.1:4321/stshopneu`. */
  url(store: StoreName): string;
  account(store: StoreName): string;
  /** As Azure would name it: `https://stshopneu.blob.core.windows.net`. */
  host(store: StoreName): string;
  /** With the account's key. */
  container(store: StoreName, name: string): ContainerClient;
  /** Resolves when everything is where it is copied to. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** The container `velero` is there in every store, empty. */
export async function startVeleroStorage(world: LabWorld): Promise<VeleroStorage> {
  const rules = openAccounts(world, { lastSyncAt: () => null });
  const started = await startStorage(world, { accounts: rules, identity: { check: () => Promise.resolve({ kind: "refused", why: "the contracts of Velero know keys only" }) } });
  const { storage, front } = started;
  const url = (store: StoreName) => `${front.url}/${places[store].endpoint}`;
  const container = (store: StoreName, name: string) => {
    const { account } = places[store];
    return new BlobServiceClient(url(store), new StorageSharedKeyCredential(account, accountKey(account)), { retryOptions: { maxTries: 1 } }).getContainerClient(name);
  };
  for (const store of ["plain", "source", "locked", "shared"] as const) await container(store, "velero").create();
  return {
    frontUrl: front.url,
    accountKeys: Object.fromEntries(Object.values(places).map(({ account }) => [account, accountKey(account)])),
    url,
    account: (store) => places[store].account,
    host: (store) => `https://${blobHost(places[store].endpoint)}`,
    container,
    settled: () => storage.settled(),
    close: () => started.close(),
  };
}
