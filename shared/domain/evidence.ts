/** Evidence: what was looked at for one level of the ladder, when, and until when that is believed. Kept with the point, for people. */
import type { FitLevel } from "./fit-answer.ts";
import type { Finding } from "./ladder-levels.ts";
import type { Rung } from "./plan.ts";
import { type BackupFile, filesOf } from "./velero-backup-files.ts";

/** A blob that was read: as it was listed, and the SHA-256 of what came. */
export interface BlobRead {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string;
  /** `null`: its name and length were looked at, not its content. */
  readonly sha256: string | null;
}

export interface Evidence {
  readonly level: Finding["level"] | FitLevel;
  readonly rung: Rung;
  readonly ok: boolean | "unknown";
  readonly about: string;
  /** Which blobs of the backup's folder that was read from; their lengths, ETags and digests are beside it. Not given: nothing of the folder. */
  readonly read?: readonly string[];
  readonly at: number;
  readonly planHash: string;
  /** After this it is looked at anew, whatever the blobs' ETags say. */
  readonly expiresAt: number;
}

/** What each level asks of the backup's own folder. L3 and the manifest ask all of it; L7 and L8 the repositories, which have manifests of their own. */
const asked: { readonly [level in Finding["level"]]?: readonly BackupFile[] } = {
  L0: ["metadata"],
  L1: ["metadata", "results"],
  L2: ["tarball"],
  L4: ["tarball", "resourceList"],
  L5: ["metadata", "itemOperations", "volumeInfo", "tarball"],
  L6: ["volumeInfo", "podVolumeBackups", "tarball"],
  L7: ["volumeInfo", "podVolumeBackups"],
  L8: ["volumeInfo", "podVolumeBackups"],
};

/** What one look found, level by level, in the form that is kept. `blobs`: what there was in the backup's folder. */
export function evidenceOf(backup: string, findings: readonly Finding[], blobs: readonly BlobRead[], at: number, planHash: string, rereadEverySeconds: number): readonly Evidence[] {
  const names = filesOf(backup);
  const there = blobs.map(({ name }) => name);
  const readFor = (level: Finding["level"]): readonly string[] => (level === "L3" || level === "manifest" ? there : (asked[level] ?? []).map((file) => names[file]).filter((name) => there.includes(name)));
  return findings.map(({ level, rung, ok, about }) => ({ level, rung, ok, about, read: readFor(level), at, planHash, expiresAt: at + rereadEverySeconds * 1_000 }));
}
