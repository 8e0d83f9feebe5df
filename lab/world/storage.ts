/**
 * Storage in the simulated pair: which copy of which account answers where, when every blob was written in lab time, who may not be
 * written to, what has been replicated and what has not. Bytes are kept elsewhere, HTTP is spoken elsewhere.
 */
import { turnstile } from "../turnstile.ts";
import type { Accounts } from "./accounts.ts";
import { type AccountNames, type RegionName, accounts as named } from "./pair.ts";
import type { BlobBytes, BlobKey } from "./storage/blob-bytes.ts";
import { type BlobTimes, type Times, blobTimes } from "./storage/blob-times.ts";
import { GeoReplication } from "./storage/geo-replication.ts";
import { type CopyStatus, ObjectReplication, type Pending } from "./storage/object-replication.ts";
import type { LabWorld } from "./world.ts";

/** Where the requests to one host name go now. */
export interface Endpoint {
  readonly account: string;
  /** The copy of the account's content that answers. */
  readonly store: string;
  readonly region: RegionName | null;
  /** The `-secondary` endpoint of a geo-redundant account: it reads only. */
  readonly secondary: boolean;
}

/** What a request has just done to an endpoint's content. */
export type Change =
  | { readonly kind: "written"; readonly container: string; readonly name: string }
  | { readonly kind: "deleted"; readonly container: string; readonly name: string }
  | { readonly kind: "container-created" | "container-deleted"; readonly container: string };

/** How a blob stands in Object Replication, as its own account shows it. */
export interface BlobReplication {
  readonly statuses: readonly CopyStatus[];
  readonly originPolicy: string | null;
}

export interface StorageParts {
  readonly accounts: Pick<Accounts, "account" | "policies" | "policyOn" | "onFailedOver">;
  readonly bytes: BlobBytes;
  /** Decides in which order replicated blobs arrive; default 1. */
  readonly seed?: number;
}

/** The second copy of a geo-redundant account, and where writes wait on their way to it. */
const secondStore = (account: string) => `${account}sec`;
const inFlightStore = (account: string) => `${account}fly`;

/** Every store that the accounts of the pair need: what Azurite must know as its accounts. */
export const storeNames: readonly string[] = Object.values<AccountNames>(named).flatMap(({ name, secondaryRegion }) => (secondaryRegion === null ? [name] : [name, secondStore(name), inFlightStore(name)]));

export class LabStorage {
  readonly times: BlobTimes = blobTimes();
  readonly objectReplication: ObjectReplication;
  readonly #world: LabWorld;
  readonly #accounts: StorageParts["accounts"];
  readonly #geo = new Map<string, GeoReplication>();
  /** Stores of the primary and of the second copy: they change places when the account fails over. */
  readonly #stores = new Map<string, { readonly primary: string; readonly secondary: string }>();
  readonly #turns = new Map<string, { readonly take: ReturnType<typeof turnstile>; users: number }>();

  constructor(world: LabWorld, { accounts, bytes, seed = 1 }: StorageParts) {
    this.#world = world;
    this.#accounts = accounts;
    this.objectReplication = new ObjectReplication({ world, accounts, bytes, times: this.times, seed });
    for (const { name, region, secondaryRegion } of Object.values<AccountNames>(named)) {
      this.#stores.set(name, { primary: name, secondary: secondStore(name) });
      if (secondaryRegion === null) continue;
      this.#geo.set(name, new GeoReplication({ world, bytes, times: this.times, regions: [region, secondaryRegion], inFlightStore: inFlightStore(name) }));
    }
    accounts.onFailedOver((account) => this.#failedOver(account));
  }

  /** `null`: there is no such host name, or not any more. */
  endpoint(account: string, secondary: boolean): Endpoint | null {
    const found = this.#accounts.account(account);
    const stores = this.#stores.get(account);
    if (!found || !stores) return null;
    if (!secondary) return { account, secondary, store: stores.primary, region: found.primaryRegion };
    return found.secondaryRegion === null ? null : { account, secondary, store: stores.secondary, region: found.secondaryRegion };
  }

  /** Whether Object Replication keeps everyone else from writing to this container. Deletes pass. */
  isLocked({ account }: Endpoint, container: string): boolean {
    const policy = this.#accounts.policyOn(account);
    return policy !== null && policy.rules.some(({ destinationContainer }) => destinationContainer === container);
  }

  /** Does what changes a blob when nothing else is changing it: the order in which writes happen is the order in which they are told. */
  async inTurn<T>({ store, container, name }: BlobKey, work: () => Promise<T>): Promise<T> {
    const key = `${store}/${container}/${name}`;
    const turn = this.#turns.get(key) ?? { take: turnstile(1), users: 0 };
    this.#turns.set(key, turn);
    turn.users += 1;
    try {
      return await turn.take(work);
    } finally {
      turn.users -= 1;
      if (turn.users === 0) this.#turns.delete(key);
    }
  }

  /** Makes true what a request has just done: time, log of effects, replication. */
  async changed({ account, store }: Endpoint, change: Change): Promise<void> {
    const at = this.#world.clock.now();
    const key = { store, container: change.container, name: "name" in change ? change.name : "" };
    switch (change.kind) {
      case "written":
        this.times.touch(key, at);
        break;
      case "container-created":
        this.times.set(key, { createdAt: at, modifiedAt: at });
        break;
      case "deleted":
        this.times.drop(key);
        break;
      case "container-deleted":
        this.times.dropContainer(store, change.container);
        break;
    }
    if (change.kind === "written" || change.kind === "deleted") {
      this.#world.record(`blob.${change.kind}`, `${account}/${change.container}/${change.name}`);
      this.objectReplication.forget(key);
      this.objectReplication.changed(change.kind, account, change.container, change.name, at);
    }
    await this.#geoChanged(account, store, change, at);
  }

  /** Says of a blob that it was there before the world began. `pending`: it has not reached the other side yet. */
  async adopt(account: string, container: string, name: string, { createdAt, modifiedAt, copiedAt }: Times & { readonly copiedAt: number | "pending" }): Promise<void> {
    const times = { createdAt, modifiedAt };
    this.times.set({ store: account, container, name }, times);
    const other = this.#secondaryOf(account);
    if (copiedAt === "pending") {
      this.objectReplication.changed("written", account, container, name, modifiedAt);
      await this.#geo.get(account)?.changed({ kind: "written", container, name, times }, account, secondStore(account), modifiedAt);
    } else if (other !== null) this.times.set({ store: other, container, name }, times);
    else this.objectReplication.copied(account, container, name, copiedAt);
  }

  /** Says of a container that it was there before the world began. */
  adoptContainer(account: string, container: string, createdAt: number): void {
    for (const secondary of [false, true]) {
      const store = this.endpoint(account, secondary)?.store;
      if (store !== undefined) this.times.set({ store, container, name: "" }, { createdAt, modifiedAt: createdAt });
    }
  }

  replication({ account, store, secondary }: Endpoint, container: string, name: string): BlobReplication {
    return {
      statuses: secondary ? [] : this.objectReplication.statuses(account, container, name),
      originPolicy: this.objectReplication.origin({ store, container, name }),
    };
  }

  /** The instant before which every write is in the second copy; `null`: the account has none. */
  lastSyncAt(account: string): number | null {
    return this.#accounts.account(account)?.secondaryRegion ? (this.#geo.get(account)?.lastSyncAt() ?? null) : null;
  }

  /** What has been written to an account and is not on its other side yet, in either topology. */
  pending(account: string): Pending {
    return this.#geo.get(account)?.pending() ?? this.objectReplication.pending(account);
  }

  /** Matching blobs do not reach the other side until the returned call; `backups/shop-*` style. In a geo-redundant account all later writes wait behind them. */
  holdBack(pattern: string): () => void {
    const releases = [this.objectReplication.holdBack(pattern), ...[...this.#geo.values()].map((geo) => geo.holdBack(pattern))];
    return () => {
      for (const release of releases) release();
    };
  }

  /** Copies of matching blobs by Object Replication end as `failed` until the returned call. */
  failReplication(pattern: string): () => void {
    return this.objectReplication.fail(pattern);
  }

  /** Resolves when everything that could reach its other side now has. */
  async settled(): Promise<void> {
    await Promise.all([this.objectReplication.settled(), ...[...this.#geo.values()].map((geo) => geo.settled())]);
  }

  close(): void {
    this.objectReplication.close();
    for (const geo of this.#geo.values()) geo.close();
  }

  #secondaryOf(account: string): string | null {
    return this.#accounts.account(account)?.secondaryRegion ? (this.#stores.get(account)?.secondary ?? null) : null;
  }

  async #geoChanged(account: string, store: string, change: Change, at: number): Promise<void> {
    const to = this.#secondaryOf(account);
    const geo = this.#geo.get(account);
    if (!geo || to === null) return;
    switch (change.kind) {
      case "written": {
        const times = this.times.get({ store, ...change }) ?? { createdAt: at, modifiedAt: at };
        return geo.changed({ ...change, times }, store, to, at);
      }
      case "deleted":
      case "container-created":
      case "container-deleted":
        return geo.changed(change, store, to, at);
    }
  }

  #failedOver(account: string): void {
    const stores = this.#stores.get(account);
    if (!stores) return;
    this.#stores.set(account, { primary: stores.secondary, secondary: stores.primary });
    // Unplanned: the old copy is given up, with what it had not sent. Planned: what is still on its way arrives.
    if (this.#accounts.account(account)?.secondaryRegion === null) this.#geo.get(account)?.cut();
  }
}
