/** What was found of one backup at the replica and, if it answered, at the source. Everything that is said of a restore point follows from it. */
import type { Contents } from "./contents.ts";
import type { Keys } from "./key-set.ts";
import type { Listing, SourceView } from "./replica.ts";
import type { BackupFiles } from "./velero-backup-files.ts";

/** How much was looked at: names and `velero-backup.json`; also the small files and the repositories' listings; also the archive, to its end. */
export type Depth = "names" | "complete" | "readable";

export interface Inventory {
  readonly name: string;
  readonly depth: Depth;
  /** `backups/<name>/` at the replica. */
  readonly replica: Listing;
  /** The same folder at the source. */
  readonly source: SourceView;
  readonly files: BackupFiles;
  readonly tarball: TarballFound;
  /** `kopia/<namespace>/`, for each namespace whose volumes need it. A namespace that is absent was not listed. */
  readonly repositories: Readonly<Record<string, Repository>>;
}

/** One namespace's Kopia repository at both ends. */
export interface Repository {
  readonly replica: Listing;
  readonly source: SourceView;
}

/** The archive, read to its end or not. */
export type TarballFound =
  | { readonly kind: "not-read" }
  | { readonly kind: "absent" }
  /** Cut off, changed, or no archive of Velero's: `why` is a sentence that begins with "the tarball". */
  | { readonly kind: "broken"; readonly why: string }
  | {
      readonly kind: "read";
      /** `metadata/version`: 1.1.0 today. */
      readonly formatVersion: string;
      readonly contents: Contents;
      /** Key of every object in it, see `keyOf`. */
      readonly keys: Keys;
      /** When its first and its last entry were written, by the clock of the Velero that wrote it; to the second. */
      readonly written?: { readonly firstAt: number; readonly lastAt: number };
    };
