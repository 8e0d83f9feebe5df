/**
 * Geo-redundant storage: one account's second copy, a while behind, filled in the order of the writes. Last Sync Time is the instant
 * before which every write is there. It stands still while a region of the pair is lost.
 */
import type { RegionName } from "../pair.ts";
import type { LabWorld } from "../world.ts";
import type { BlobBytes, BlobKey } from "./blob-bytes.ts";
import type { BlobTimes, Times } from "./blob-times.ts";
import type { Pending } from "./object-replication.ts";
import { patterns } from "./patterns.ts";

export interface GeoReplicationParts {
  readonly world: LabWorld;
  readonly bytes: BlobBytes;
  readonly times: BlobTimes;
  readonly regions: readonly (RegionName | null)[];
  /** Where the content of a write waits for its turn. */
  readonly inFlightStore: string;
}

export type GeoChange =
  | { readonly kind: "written"; readonly container: string; readonly name: string; readonly times: Times }
  | { readonly kind: "deleted"; readonly container: string; readonly name: string }
  | { readonly kind: "container-created" | "container-deleted"; readonly container: string };

interface Queued {
  readonly change: GeoChange;
  readonly at: number;
  /** The store of the second copy when this was written. */
  readonly to: string;
  /** The content of a write at that moment; resolves when it is held, and before that it cannot be applied. */
  readonly held: Promise<BlobKey | null>;
}

const inFlightContainer = "in-flight";

export class GeoReplication {
  readonly #parts: GeoReplicationParts;
  readonly #heldBack = patterns();
  readonly #line: Queued[] = [];
  #written = 0;
  #disarm: () => void = () => {};
  #applying = false;
  /** Last Sync Time when the link went down; `null`: it is up. */
  #stoodAt: number | null = null;
  #closed = false;
  #settlers: (() => void)[] = [];

  constructor(parts: GeoReplicationParts) {
    this.#parts = parts;
    parts.world.onReach((region) => {
      if (parts.regions.includes(region)) this.#linkChanged();
    });
  }

  lastSyncAt(): number {
    if (this.#stoodAt !== null) return this.#stoodAt;
    const { world } = this.#parts;
    return Math.min(world.clock.now() - world.latencies.geoLag, this.#line[0]?.at ?? Infinity);
  }

  pending(): Pending {
    return { count: this.#line.length, oldestAt: this.#line[0]?.at ?? null };
  }

  /** Something changed in store `from`, at `at`. Resolves when the content is held, so that a later write cannot arrive in its place. */
  async changed(change: GeoChange, from: string, to: string, at: number): Promise<void> {
    const held = change.kind === "written" ? this.#hold({ store: from, container: change.container, name: change.name }) : Promise.resolve(null);
    this.#line.push({ change, at, to, held });
    if (this.#line.length === 1) this.#arm();
    await held;
  }

  /** The line stops at the first matching blob until the returned call: what was written after it waits behind it. */
  holdBack(pattern: string): () => void {
    const release = this.#heldBack.add(pattern);
    return () => {
      release();
      this.#arm();
    };
  }

  /** What has not arrived never will: the account has failed over. */
  cut(): void {
    this.#line.length = 0;
    this.#disarm();
    this.#tellSettled();
  }

  /** Resolves when nothing is left that could move now. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settlers.push(resolve);
      this.#tellSettled();
    });
  }

  close(): void {
    this.#closed = true;
    this.cut();
  }

  /** Puts the content of a write aside, under a number of its own. */
  async #hold(from: BlobKey): Promise<BlobKey | null> {
    const { bytes, inFlightStore } = this.#parts;
    this.#written += 1;
    const held = { store: inFlightStore, container: inFlightContainer, name: String(this.#written) };
    await bytes.createContainer(held.store, held.container);
    return (await bytes.copy(from, held)) ? held : null;
  }

  #linkIsUp(): boolean {
    return this.#parts.regions.every((region) => this.#parts.world.reach(region) === "up");
  }

  #linkChanged(): void {
    if (!this.#linkIsUp()) {
      this.#stoodAt ??= this.lastSyncAt();
      this.#disarm();
    } else {
      this.#stoodAt = null;
      this.#arm();
    }
    this.#tellSettled();
  }

  #canMove(): boolean {
    const head = this.#line[0];
    if (this.#closed || !head || !this.#linkIsUp()) return false;
    return !("name" in head.change && this.#heldBack.match(head.change.name));
  }

  #arm(): void {
    const { clock, latencies } = this.#parts.world;
    this.#disarm();
    const head = this.#line[0];
    if (!head || !this.#canMove()) return this.#tellSettled();
    this.#disarm = clock.after(Math.max(0, head.at + latencies.geoLag - clock.now()), () => void this.#applyFirst());
  }

  async #applyFirst(): Promise<void> {
    const first = this.#line[0];
    if (this.#applying || !first || !this.#canMove()) return;
    this.#applying = true;
    try {
      await this.#apply(first);
    } catch (error) {
      process.emitWarning(`the lab could not bring ${JSON.stringify(first.change)} to ${first.to}: ${String(error)}`, "LabMistake");
    }
    this.#applying = false;
    if (this.#line[0] === first) this.#line.shift();
    this.#arm();
  }

  async #apply({ change, to, held }: Queued): Promise<void> {
    const { bytes, times } = this.#parts;
    switch (change.kind) {
      case "written": {
        const from = await held;
        const key = { store: to, container: change.container, name: change.name };
        if (from === null) return;
        await bytes.copy(from, key);
        times.set(key, change.times);
        return bytes.delete(from);
      }
      case "deleted": {
        const key = { store: to, container: change.container, name: change.name };
        await bytes.delete(key);
        return times.drop(key);
      }
      case "container-created":
        return bytes.createContainer(to, change.container);
      case "container-deleted":
        await bytes.deleteContainer(to, change.container);
        return times.dropContainer(to, change.container);
    }
  }

  #tellSettled(): void {
    if (this.#applying || this.#canMove()) return;
    const settlers = this.#settlers;
    this.#settlers = [];
    for (const settler of settlers) settler();
  }
}
