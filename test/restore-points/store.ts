/** Blob containers in memory, as `World["backups"]` sees them, and the recorded container of a real Velero to fill them with. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Backups, BlobItem, BlobPlace, World } from "../../shared/ports.ts";
import { BlobUnreadable, WorldError } from "../../shared/ports.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { examplePlan } from "../domain/example-plans.ts";

/** The lab's first instant: the recorded backups are fresh then. */
export const beginsAt = Date.parse("2026-11-21T06:05:00Z");
export const recorded = path.resolve(import.meta.dirname, "../../lab/velero-1.18.3");

export interface Blob {
  readonly bytes: Uint8Array;
  readonly lastModifiedAt: number;
  readonly replication: BlobItem["replication"];
  readonly archived?: true;
}
export type Container = Map<string, Blob>;

const recordedBlobs = (JSON.parse(readFileSync(path.join(recorded, "container.listing.json"), "utf8")) as { name: string; lastModified: string }[]).map(({ name, lastModified }) => ({
  name,
  bytes: new Uint8Array(readFileSync(path.join(recorded, "container", name))),
  lastModifiedAt: Date.parse(lastModified),
}));

/** Every blob of the recorded container, with the times that it was listed with. */
export const recordedContainer = (replication: BlobItem["replication"] = "complete"): Container =>
  new Map(recordedBlobs.map(({ name, bytes, lastModifiedAt }) => [name, { bytes, lastModifiedAt, replication }]));

/** One recorded blob. */
export function recordedBlob(name: string): Uint8Array {
  const blob = recordedContainer().get(name);
  if (!blob) throw new Error(`nothing of the name ${name} was recorded`);
  return blob.bytes;
}

export const recordedBackups: readonly string[] = readdirSync(path.join(recorded, "container/backups")).sort();

export interface Stage {
  readonly world: Pick<World, "backups" | "replication" | "clock">;
  readonly plan: Plan;
  readonly source: Container;
  readonly replica: Container;
  /** What was asked, as `list <host> <prefix>`. */
  readonly asked: string[];
  nowAt: number;
  lastSyncAt: number | null;
  /** The source's region is lost: every question to it throws. */
  dark: boolean;
}

/** Two containers that both hold what was recorded, under the example plan of the shop, changed as a test needs it. */
export function openStage(change: (plan: Plan) => Plan = (plan) => plan, topology: "replicated" | "shared" = "replicated"): Stage {
  const plan = change(examplePlan(`shop-${topology}`));
  const places = placesOf(plan);
  const source = recordedContainer(topology === "replicated" ? "complete" : "pending"); // what the listing of a geo-redundant account looks like
  const replica = recordedContainer("pending");
  const stage: Omit<Stage, "world"> = { plan, source, replica, asked: [], nowAt: beginsAt, lastSyncAt: beginsAt - 30_000, dark: false };
  const containerOf = (place: BlobPlace): Container => {
    if (place.url === places.replica.url) return replica;
    if (place.url !== places.source.url) throw new Error(`nobody knows ${place.url}`);
    if (full.dark) throw new WorldError("list blobs", place.url, "connection reset");
    return source;
  };
  const full: Stage = Object.assign(stage, {
    world: {
      backups: inMemory(containerOf, stage.asked),
      replication: {
        lastSync: async () => ({ state: "live" as const, lastSyncAt: full.lastSyncAt }),
        policy: () => Promise.reject(new Error("nobody should ask")),
        deletePolicy: () => Promise.reject(new Error("nobody should ask")),
      },
      clock: { now: () => full.nowAt },
    },
  });
  return full;
}

function inMemory(containerOf: (place: BlobPlace) => Container, asked: string[]): Backups {
  return {
    async *list(place, prefix) {
      asked.push(`list ${new URL(place.url).hostname} ${prefix}`);
      for (const [name, { bytes, lastModifiedAt, replication, archived }] of [...containerOf(place)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (name.startsWith(prefix)) yield { name, bytes: bytes.length, etag: etagOf(bytes, lastModifiedAt), lastModifiedAt, replication, ...(archived === true ? { archived } : {}) };
      }
    },
    async folders(place, prefix) {
      asked.push(`folders ${new URL(place.url).hostname} ${prefix}`);
      return [...new Set([...containerOf(place).keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length).split("/")[0] ?? ""))].sort();
    },
    async read(place, name, maxBytes = 16 * 1024 * 1024) {
      asked.push(`read ${new URL(place.url).hostname} ${name}`);
      const bytes = containerOf(place).get(name)?.bytes ?? null;
      if (containerOf(place).get(name)?.archived === true) throw new BlobUnreadable("read blob", name, "the account does not give it: BlobArchived");
      if (bytes !== null && bytes.length > maxBytes) throw new BlobUnreadable("read blob", name, `it has more than ${maxBytes} bytes`);
      return bytes;
    },
    async open(place, name) {
      asked.push(`open ${new URL(place.url).hostname} ${name}`);
      const blob = containerOf(place).get(name);
      if (blob?.archived === true) throw new BlobUnreadable("open blob", name, "the account does not give it: BlobArchived");
      return blob ? inChunks(blob.bytes) : null;
    },
    probeWrite: () => Promise.reject(new Error("nobody should write")),
  };
}

/** Another one after every write, as an account gives them. */
const etagOf = (bytes: Uint8Array, lastModifiedAt: number): string => `"${lastModifiedAt}-${createHash("md5").update(bytes).digest("hex")}"`;

/** A blob as it comes over the wire. */
export async function* inChunks(bytes: Uint8Array, chunk = 4_096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

/** A plan that protects these namespaces and takes these backups. */
export const protects =
  (namespaces: readonly string[], names: readonly string[], more: Partial<Plan["backups"]> = {}) =>
  (plan: Plan): Plan => {
    const { schedule: _schedule, ...backups } = plan.backups;
    const [first] = plan.applications;
    if (!first) throw new Error("a plan has applications");
    return { ...plan, backups: { ...backups, names: [...names], ...more }, applications: [{ ...first, namespaces: [...namespaces] }] };
  };
