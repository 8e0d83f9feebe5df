/**
 * The manifest of a restore point: each blob of its folder as it was when the backup was first found whole, with the digest of its content.
 * It is written once and kept outside the region; whatever differs later is named, and the point loses its proof. Pure.
 */
import { instantText } from "./instant.ts";
import type { Finding } from "./ladder-levels.ts";
import { own } from "./own.ts";
import { someOf } from "./replica.ts";

export interface ManifestBlob {
  readonly bytes: number;
  readonly etag: string;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1;
  readonly plan: string;
  readonly backup: string;
  /** Kubernetes uid of the Backup object: another backup of the same name has another. */
  readonly uid: string;
  readonly takenAt: number;
  readonly planHash: string;
  readonly blobs: Readonly<Record<string, ManifestBlob>>;
  /** Namespaces whose Kopia repositories it needs; see `RepositoryManifest`. */
  readonly repositories: readonly string[];
}

/** A blob as a listing has it. */
export interface ListedBlob {
  readonly bytes: number;
  readonly etag: string;
  readonly lastModifiedAt: number;
  /** There, and not to be read: in the archive tier. */
  readonly archived?: true;
}

/** What differs between a manifest and the folder now; names, in order. */
export interface Drift {
  readonly gone: readonly string[];
  /** Another length, or another content under the same name. */
  readonly changed: readonly string[];
  /** Written again with the content that it had: no harm. */
  readonly rewritten: readonly string[];
  readonly added: readonly string[];
  /** The folder belongs to another backup of the same name now. */
  readonly recreated: boolean;
}

/** Holds a folder against its manifest. `contents` has the digest of each blob that was read now; one that was not read is judged by length and ETag. */
export function driftOf({ blobs, uid }: Manifest, listed: ReadonlyMap<string, ListedBlob>, contents: ReadonlyMap<string, string>, uidNow: string | null): Drift {
  const gone: string[] = [];
  const changed: string[] = [];
  const rewritten: string[] = [];
  for (const [name, was] of Object.entries(blobs)) {
    const now = listed.get(name);
    const sha256 = contents.get(name);
    if (now === undefined) gone.push(name);
    else if (now.bytes !== was.bytes || (sha256 === undefined ? now.etag !== was.etag : sha256 !== was.sha256)) changed.push(name);
    else if (now.etag !== was.etag) rewritten.push(name);
  }
  const added = [...listed.keys()].filter((name) => own(blobs, name) === undefined);
  return { gone: gone.toSorted(), changed: changed.toSorted(), rewritten: rewritten.toSorted(), added: added.toSorted(), recreated: uidNow !== null && uid !== "" && uidNow !== uid };
}

/** Whether nobody has written there, not even the same content. */
export const isUntouched = ({ gone, changed, rewritten, added, recreated }: Drift): boolean => gone.length + changed.length + rewritten.length + added.length === 0 && !recreated;

/** What a drift means for the point. */
export function driftFinding({ backup, takenAt, blobs }: Manifest, { gone, changed, added, recreated }: Drift): Finding {
  const since = `when it was first whole, at ${instantText(takenAt)}`;
  const no = (about: string): Finding => ({ level: "manifest", rung: "replicated", ok: false, about });
  if (recreated) return no(`backups/${backup}/ belongs to another backup of the same name: it was made anew after ${instantText(takenAt)}`);
  if (changed.length > 0) return no(`${changed.length} of ${Object.keys(blobs).length} blobs have another content than ${since}: ${someOf(changed)}`);
  if (gone.length > 0) return no(`${gone.length} of ${Object.keys(blobs).length} blobs that were there ${since}, are gone from the replica: ${someOf(gone)}`);
  if (added.length > 0) return no(`${added.length} blobs are in backups/${backup}/ that were not there ${since}: ${someOf(added)}`);
  return { level: "manifest", rung: "replicated", ok: true, about: `its ${Object.keys(blobs).length} blobs are what they were ${since}` };
}
