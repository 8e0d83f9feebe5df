/**
 * What each snapshot of a volume holds. The lab decrypts no Kopia repository: a snapshot's id stands for its files. Those of the
 * recorded backups are in `volumes.json`, as a real restore brought them back (its two files of random ballast left out, their
 * bytes counted); backups made in the lab add their own. One table for the whole world: whoever can read the repository's blobs
 * can read the snapshot, in whatever account they lie.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Files } from "../kubernetes/volume-files.ts";

export interface Snapshot {
  readonly bytes: number;
  readonly files: Files;
  /** Blobs of the repository without which it cannot be read. */
  readonly blobs: readonly string[];
}

export interface Snapshots {
  get(id: string): Snapshot | null;
  add(id: string, snapshot: Snapshot): void;
}

const recorded = z.record(z.string(), z.object({ bytes: z.number(), files: z.record(z.string(), z.string()), blobs: z.array(z.string()) }));

/** The table as it is at the beginning: the recorded snapshots. */
export function openSnapshots(): Snapshots {
  const known = new Map<string, Snapshot>(Object.entries(recorded.parse(JSON.parse(readFileSync(path.join(import.meta.dirname, "volumes.json"), "utf8")))));
  return { get: (id) => known.get(id) ?? null, add: (id, snapshot) => void known.set(id, snapshot) };
}
