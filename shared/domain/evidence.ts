/** Evidence: what was looked at for one level of the ladder, when, and until when that is believed. Kept with the point, for people. */
import type { Finding } from "./ladder-levels.ts";
import type { Rung } from "./plan.ts";

/** A blob that was read: as it was listed, and the SHA-256 of what came. */
export interface BlobRead {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string;
  /** `null`: its name and length were looked at, not its content. */
  readonly sha256: string | null;
}

export interface Evidence {
  readonly level: Finding["level"] | "api" | "classes" | "images" | "quota";
  readonly rung: Rung;
  readonly ok: boolean | "unknown";
  readonly about: string;
  readonly at: number;
  readonly planHash: string;
  /** After this it is looked at anew, whatever the blobs' ETags say. */
  readonly expiresAt: number;
}

/** What one look found, level by level, in the form that is kept. */
export const evidenceOf = (findings: readonly Finding[], at: number, planHash: string, rereadEverySeconds: number): readonly Evidence[] =>
  findings.map(({ level, rung, ok, about }) => ({ level, rung, ok, about, at, planHash, expiresAt: at + rereadEverySeconds * 1_000 }));
