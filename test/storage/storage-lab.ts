/** A world whose storage is open, and the clients that the app itself would use: the real SDK over its own transport. */
import { type BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll } from "vitest";
import { accountKey, type Azurite, startAzurite } from "../../lab/azurite.ts";
import { startClock } from "../../lab/clock.ts";
import { startStorage } from "../../lab/storage.ts";
import { openAccounts } from "../../lab/world/accounts.ts";
import { audiences, type Audience, type Caller, openIdentity } from "../../lab/world/identity.ts";
import { type Latencies, noLatencies } from "../../lab/world/latencies.ts";
import { type AccountNames, accounts as named, blobHost } from "../../lab/world/pair.ts";
import { LabStorage, storeNames } from "../../lab/world/storage.ts";
import { openWorld } from "../../lab/world/world.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openTransport } from "../../shared/azure/transport.ts";

let azurite: Azurite;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  azurite = await startAzurite({ accounts: storeNames });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => azurite.close());

export interface LabOptions {
  readonly latencies?: Partial<Latencies>;
  /** Lab seconds per second; default 1000, so that a minute of waiting takes 60 ms. */
  readonly rate?: number;
  readonly seed?: number;
  /** Leaves all containers away. */
  readonly empty?: boolean;
}

/** One for each test; the containers are those of the pair, empty. */
export async function openStorageLab({ latencies = {}, rate = 1000, seed = 1, empty = false }: LabOptions = {}) {
  const world = openWorld(startClock({ rate }), { ...noLatencies, ...latencies });
  const identity = openIdentity(world);
  let storage: LabStorage | null = null;
  const accounts = openAccounts(world, { lastSyncAt: (account) => storage?.lastSyncAt(account) ?? null });
  const started = await startStorage(world, { accounts, identity, azurite, seed });
  storage = started.storage;
  closers.push(() => started.close());
  await Promise.all(storeNames.flatMap((store) => ["velero", "velero-neu", "lifeboat", "in-flight"].map((container) => started.bytes.deleteContainer(store, container))));
  if (!empty) for (const [store, container] of wanted(started.storage)) await started.bytes.createContainer(store, container);

  const transport = openTransport(started.hosts);
  const credential = (audience: Audience = audiences.storage, caller: Caller = "actuator") => ({
    async getToken() {
      const { token, expiresAt } = await identity.mint(audience, caller);
      return { token, expiresOnTimestamp: Math.max(expiresAt, Date.now() + 3_600_000) };
    },
  });
  const opened = (credential: Parameters<typeof openBlobService>[0]) => openBlobService(credential, transport, 30);
  const service = opened(credential());
  const endpoint = (account: string, { at } = service): BlobServiceClient => at(`https://${blobHost(account)}`);
  return {
    ...started,
    world,
    accounts,
    identity,
    endpoint,
    /** The client of a caller who is not the app's actuator. */
    as: (audience: Audience, caller: Caller) => opened(credential(audience, caller)),
    withKey: (account: string, key = accountKey(account)) => endpoint(account, opened(new StorageSharedKeyCredential(account.replace("-secondary", ""), key))),
    velero: (account: string) => endpoint(account).getContainerClient("velero"),
  };
}

function* wanted(storage: LabStorage): Generator<readonly [string, string]> {
  for (const { name, containers } of Object.values<AccountNames>(named)) {
    for (const secondary of [false, true]) {
      const store = storage.endpoint(name, secondary)?.store;
      if (store !== undefined) for (const container of containers) yield [store, container];
    }
  }
}

/** What a refused call came back with: status and code, its own or those of what caused it. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "not refused";
  } catch (error) {
    const { statusCode, code, details } = ((error as Error).cause ?? error) as { statusCode?: number; code?: string; details?: { errorCode?: string } };
    return `${statusCode ?? "no answer"} ${code ?? details?.errorCode ?? ""}`.trim();
  }
}

/** All items of a list. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
