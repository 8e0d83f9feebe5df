/** Starts all that plays storage: Azurite, the rules of the world, the front that clients see. */
import { type Azurite, startAzurite } from "./azurite.ts";
import type { Listener, Place } from "./faces/listen.ts";
import { openStorageFront } from "./faces/storage-front.ts";
import { azuriteBytes } from "./faces/storage/azurite-bytes.ts";
import { azuriteLink } from "./faces/storage/azurite-link.ts";
import type { Identity } from "./world/identity.ts";
import { accounts, blobHost } from "./world/pair.ts";
import { LabStorage, storeNames, type StorageParts } from "./world/storage.ts";
import type { BlobBytes } from "./world/storage/blob-bytes.ts";
import type { LabWorld } from "./world/world.ts";

export interface StorageOptions {
  readonly accounts: StorageParts["accounts"];
  readonly identity: Pick<Identity, "check">;
  /** An Azurite that runs already and is not ours to end, with `storeNames` as its accounts; without it one is started. */
  readonly azurite?: Azurite;
  /** A folder for the bytes; without it they live in memory. The times that the world keeps do not outlive it. */
  readonly location?: string;
  readonly place?: Place;
  /** Decides in which order replicated blobs arrive. */
  readonly seed?: number;
}

export interface StartedStorage {
  readonly storage: LabStorage;
  readonly front: Listener;
  /** Past the front: for seeding, and for damage that no client could do. The world does not notice. */
  readonly bytes: BlobBytes;
  /** Host name → address, for every blob endpoint of the pair. */
  readonly hosts: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Throws an `AzuriteFailed` or a `CannotListen`, and then nothing is left running. */
export async function startStorage(world: LabWorld, { accounts: rules, identity, azurite: given, location, place, seed }: StorageOptions): Promise<StartedStorage> {
  const azurite = given ?? (await startAzurite({ accounts: storeNames, ...(location === undefined ? {} : { location }) }));
  const link = azuriteLink(azurite.url);
  const bytes = azuriteBytes(link);
  const storage = new LabStorage(world, { accounts: rules, bytes, ...(seed === undefined ? {} : { seed }) });
  const stop = async () => {
    storage.close();
    link.close();
    if (given === undefined) await azurite.close();
  };
  try {
    const front = await openStorageFront({ world, storage, link, identity, ...(place === undefined ? {} : { place }) });
    const close = async () => {
      await front.close();
      await stop();
    };
    return { storage, front, bytes, hosts: Object.fromEntries(endpointHosts().map((host) => [host, front.url])), close };
  } catch (error) {
    await stop();
    throw error;
  }
}

const endpointHosts = () => Object.values(accounts).flatMap(({ name, secondaryRegion }) => (secondaryRegion === null ? [blobHost(name)] : [blobHost(name), blobHost(`${name}-secondary`)]));
