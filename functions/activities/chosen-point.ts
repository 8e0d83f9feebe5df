/** What a run knows of the restore point it took, kept write-once at home: too much to travel through the runbook's history. */
import type { Contents } from "../../shared/domain/contents.ts";
import type { Home } from "../../shared/ports.ts";
import type { Volume } from "../../shared/domain/volume.ts";
import type { RunRef } from "../../orchestrations/step.ts";

export interface PointRecord {
  readonly name: string;
  readonly takenAt: number;
  readonly contents: Contents;
  readonly volumes: readonly Volume[];
  /** The spec of the backup, by which the new region makes its own. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const recordName = ({ plan, epoch }: RunRef, point: string) => `runs/${plan}/${String(epoch).padStart(6, "0")}/points/${point}.json`;

/** The first record of a point counts; a repeat writes the same. */
export async function keepPoint(home: Home, ref: RunRef, record: PointRecord): Promise<void> {
  await home.create(recordName(ref, record.name), JSON.stringify(record));
}

export async function readPoint(home: Home, ref: RunRef, point: string): Promise<PointRecord> {
  const stored = await home.read(recordName(ref, point));
  if (stored === null) throw new Error(`what ${ref.runId} knows of restore point ${point} is missing at home: ${recordName(ref, point)}`);
  return JSON.parse(stored.body) as PointRecord;
}
