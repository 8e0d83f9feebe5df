/** The blobs of a Kopia repository, as far as a lab needs them: their names and sizes are right, their content is noise. */
import { createHash, randomBytes } from "node:crypto";
import type { Files } from "../kubernetes/volume-files.ts";

/** Everything of one namespace lies directly under it. */
export const kopiaFolder = (volumeNamespace: string): string => `kopia/${volumeNamespace}/`;

type Blob = readonly [name: string, bytes: Uint8Array];

const hex = (bytes: number) => randomBytes(bytes).toString("hex");
/** The session that wrote a pack is part of its name. */
const sessionId = () => `s${hex(8)}147`;

/** What a new repository begins with. Sizes as recorded. */
export function newRepositoryBlobs(volumeNamespace: string): Blob[] {
  const folder = kopiaFolder(volumeNamespace);
  return [
    [`${folder}kopia.blobcfg`, randomBytes(30)],
    [`${folder}kopia.repository`, randomBytes(1_087)],
    [`${folder}udmrepo.Repository`, Buffer.from(`{"uniqueID":"${randomBytes(32).toString("base64")}"}`)],
  ];
}

/**
 * What one snapshot adds: a pack of data, a pack of metadata, an index, and a log. Packs and indexes are named after their
 * content, so they are written once and never changed.
 */
export function snapshotBlobs(volumeNamespace: string, files: Files, at: number): Blob[] {
  const folder = kopiaFolder(volumeNamespace);
  const session = sessionId();
  const data = Buffer.concat([Buffer.from(JSON.stringify(files)), randomBytes(64)]);
  const named = (letter: string, content: Uint8Array): Blob => [`${folder}${letter}${createHash("sha256").update(content).digest("hex").slice(0, 32)}-${session}`, content];
  const index = randomBytes(268);
  const [indexName, indexBytes] = named("xn0_", index);
  const stamp = new Date(at).toISOString().replaceAll(/[-T:]/g, "").slice(0, 14);
  const seconds = Math.floor(at / 1000);
  return [named("p", data), named("q", randomBytes(4_298)), [`${indexName}-c1`, indexBytes], [`${folder}_log_${stamp}_${hex(2)}_${seconds}_${seconds}_1_${hex(16)}`, randomBytes(1_112)]];
}
