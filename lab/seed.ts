/** Fills the pair's storage accounts with what a real Velero left behind (`lab/velero-1.18.3`), as if it had always been there. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { labStart } from "./clock.ts";
import type { StartedStorage } from "./storage.ts";
import { type AccountNames, accounts } from "./world/pair.ts";
import { typical } from "./world/latencies.ts";
import type { Times } from "./world/storage/blob-times.ts";
import { patterns } from "./world/storage/patterns.ts";

export interface Seeding {
  /** Which of the two stores Velero has been writing to. */
  readonly topology: "shared" | "replicated";
  /** Whether anything has been written yet; default yes. Otherwise the containers are made, and stay empty. */
  readonly recorded?: boolean;
  /** Blob names, `backups/everything/*`, that were never written. */
  readonly leaveOut?: readonly string[];
  /** Blob names that are in the primary region and on their way to the other side: they arrive unless they are held back. */
  readonly notArrived?: readonly string[];
}

interface Recorded extends Times {
  readonly name: string;
  readonly content: () => Promise<Uint8Array>;
}

const recording = path.join(import.meta.dirname, "velero-1.18.3");
const container = "velero";

/** Creates every container of the pair and uploads the recorded one. Returns how many blobs the container holds now. */
export async function seed({ storage, bytes }: Pick<StartedStorage, "storage" | "bytes">, { topology, recorded: isRecorded = true, leaveOut = [], notArrived = [] }: Seeding): Promise<number> {
  await Promise.all(Object.values<AccountNames>(accounts).flatMap((account) => account.containers.map((name) => createContainer({ storage, bytes }, account.name, name))));
  if (!isRecorded) return 0;
  const source = topology === "shared" ? accounts.shared.name : accounts.source.name;
  const other = topology === "shared" ? storage.endpoint(source, true)?.store : accounts.replica.name;
  const [left, late] = [leaveOut, notArrived].map((globs) => matching(globs));
  const blobs = (await recorded()).filter(({ name }) => !left?.(name));
  // In the order they were written, which is the order in which a second copy would take what is late.
  const arrivals: (() => Promise<void>)[] = [];
  await Promise.all(
    blobs.map(async ({ name, content, createdAt, modifiedAt }) => {
      const pending = late?.(name) ?? false;
      const body = await content();
      await bytes.put({ store: source, container, name }, body);
      if (other !== undefined && !pending) await bytes.put({ store: other, container, name }, body);
      const copiedAt = pending ? "pending" : modifiedAt + typical.objectReplication.ms;
      const adopt = () => storage.adopt(source, container, name, { createdAt, modifiedAt, copiedAt });
      if (pending) arrivals.push(adopt);
      else await adopt();
    }),
  );
  for (const adopt of arrivals) await adopt();
  return blobs.length;
}

async function createContainer({ storage, bytes }: Pick<StartedStorage, "storage" | "bytes">, account: string, name: string): Promise<void> {
  for (const secondary of [false, true]) {
    const store = storage.endpoint(account, secondary)?.store;
    if (store !== undefined) await bytes.createContainer(store, name);
  }
  storage.adoptContainer(account, name, labStart - dayMs);
}

const dayMs = 86_400_000;

const matching = (globs: readonly string[]) => {
  const set = patterns();
  for (const glob of globs) set.add(glob);
  return (name: string) => set.match(name);
};

async function recorded(): Promise<readonly Recorded[]> {
  const listing = JSON.parse(await readFile(path.join(recording, "container.listing.json"), "utf8")) as readonly { readonly name: string; readonly created: string; readonly lastModified: string }[];
  return listing
    .map(({ name, created, lastModified }) => ({ name, createdAt: Date.parse(created), modifiedAt: Date.parse(lastModified), content: () => readFile(path.join(recording, "container", name)) }))
    .toSorted((a, b) => a.modifiedAt - b.modifiedAt);
}
