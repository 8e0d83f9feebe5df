/** What is kept at home of a plan's restore points beside the register: manifests, written once, and what was found when each was read through last. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../../shared/domain/canonical-json.ts";
import type { Contents } from "../../../shared/domain/contents.ts";
import type { BlobRead, Evidence } from "../../../shared/domain/evidence.ts";
import type { Manifest } from "../../../shared/domain/manifest.ts";
import type { PointFiles } from "../../../shared/domain/parity.ts";
import { newRepositoryManifest, type RepositoryManifest } from "../../../shared/domain/repository-manifest.ts";
import type { Volume } from "../../../shared/domain/volume.ts";
import { type Home, type Seal, WorldError } from "../../../shared/ports.ts";

/** A manifest as it is kept: its digest, and a signature where the app has a key. */
export interface SealedManifest {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly seal: { readonly key: string; readonly signature: string } | null;
}

/** What the last look that read the point through has found. */
export interface PointFound {
  readonly format: 1;
  readonly at: number;
  readonly planHash: string;
  readonly evidence: readonly Evidence[];
  readonly blobs: readonly BlobRead[];
  /** What a run needs to know of it, so that it reads no archive; `null`: it was not read to its end, or is too large to keep. */
  readonly content: { readonly takenAt: number; readonly contents: Contents; readonly volumes: readonly Volume[]; readonly spec: Readonly<Record<string, unknown>>; readonly files: PointFiles } | null;
}

/** A manifest as it was found. `unchecked`: why nobody could say whether its signature is the key's; its digest fits. */
export type ManifestFound = SealedManifest & { readonly unchecked?: string };

export interface Records {
  /** `null`: there is none. Throws `SealBroken` when it is not what was written. */
  manifest(backup: string): Promise<ManifestFound | null>;
  /** The first manifest of a point counts, and is returned. Throws a `WorldError` when it cannot be signed: then nothing is kept. */
  keepManifest(manifest: Manifest): Promise<SealedManifest>;
  found(backup: string): Promise<PointFound | null>;
  keepFound(backup: string, found: PointFound): Promise<void>;
  /** Throws `SealBroken` when it cannot be made out. */
  repository(namespace: string): Promise<RepositoryManifest>;
  /** Applies a pure change by compare-and-swap; asks it anew when somebody else was faster. */
  changeRepository(namespace: string, change: (manifest: RepositoryManifest) => RepositoryManifest): Promise<RepositoryManifest>;
}

/** A manifest at home is not what was written: its digest or its signature is another. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
}

const swapsMax = 10;
/** What home takes is 4 MiB. */
const foundBytesMax = 3 * 1024 * 1024;

/** To be opened for each look. */
export function openRecords(home: Home, plan: string, seal: Seal | null): Records {
  const manifestName = (backup: string) => `registers/${plan}/points/${backup}/manifest.json`;
  const foundName = (backup: string) => `registers/${plan}/points/${backup}/found.json`;
  const repositoryName = (namespace: string) => `registers/${plan}/repositories/${namespace}.json`;

  const verdictOf = askedOnceDark();

  const manifestAt = async (backup: string): Promise<ManifestFound | null> => {
    const stored = await home.read(manifestName(backup));
    if (stored === null) return null;
    const { read, digest } = madeOut(manifestName(backup), () => {
      const parsed = sealedManifest(JSON.parse(stored.body));
      return { read: parsed, digest: digestOf(parsed.manifest) };
    });
    if (digest !== read.sha256) throw new SealBroken(`${manifestName(backup)} was changed at home: its digest is ${digest.slice(0, 12)}… and it says ${read.sha256.slice(0, 12)}…`);
    // A key that came later finds manifests from before it; deleting them, as the page says, has them made anew and signed.
    if (seal !== null && read.seal === null) throw new SealBroken(`${manifestName(backup)} is not what is written here: it is not signed`);
    const { seal: sealed } = read;
    if (seal === null || sealed === null) return read;
    const verdict = await verdictOf(sealed.key, () => seal.verify(digest, sealed));
    if (verdict === false) throw new SealBroken(`${manifestName(backup)} was changed at home: its signature is not one of ${sealed.key}`);
    return verdict === true ? read : { ...read, unchecked: verdict };
  };

  return {
    manifest: manifestAt,

    async keepManifest(manifest) {
      const sha256 = digestOf(manifest);
      const sealed: SealedManifest = { manifest, sha256, seal: seal === null ? null : await seal.sign(sha256) };
      if (await home.create(manifestName(manifest.backup), JSON.stringify(sealed))) return sealed;
      return (await manifestAt(manifest.backup)) ?? sealed;
    },

    async found(backup) {
      const stored = await home.read(foundName(backup));
      if (stored === null) return null;
      try {
        return JSON.parse(stored.body) as PointFound; // as `keepFound` wrote it
      } catch {
        return null; // the point is read again, and what is found then is kept in its place
      }
    },

    async keepFound(backup, found) {
      const whole = JSON.stringify(found);
      await home.put(foundName(backup), Buffer.byteLength(whole) <= foundBytesMax ? whole : JSON.stringify({ ...found, content: null } satisfies PointFound));
    },

    async repository(namespace) {
      const stored = await home.read(repositoryName(namespace));
      return stored === null ? newRepositoryManifest(namespace) : repositoryIn(repositoryName(namespace), stored.body);
    },

    async changeRepository(namespace, change) {
      const name = repositoryName(namespace);
      for (let swap = 0; swap < swapsMax; swap++) {
        const stored = await home.read(name);
        const before = stored === null ? newRepositoryManifest(namespace) : repositoryIn(name, stored.body);
        const after = change(before);
        const body = JSON.stringify(after);
        if (body === stored?.body) return after;
        if (stored === null ? await home.create(name, body) : (await home.replace(name, body, stored.etag)) !== null) return after;
      }
      throw new WorldError("write the manifest of a repository", name, `${swapsMax} others were faster`, { retryAfterSeconds: 1 });
    },
  };
}

/** What a seal said of a signature, or why it could not be asked. A key that does not answer is not asked for again for every manifest of one look. */
function askedOnceDark(): (key: string, asked: () => Promise<boolean>) => Promise<boolean | string> {
  const dark = new Map<string, string>();
  return async (key, asked) => {
    const before = dark.get(key);
    if (before !== undefined) return before;
    try {
      return await asked();
    } catch (error) {
      if (!(error instanceof WorldError)) throw error;
      dark.set(key, error.message);
      return error.message;
    }
  };
}

const repositoryIn = (name: string, body: string): RepositoryManifest =>
  madeOut(name, () => {
    const read = JSON.parse(body) as RepositoryManifest;
    if (typeof read.blobs !== "object" || Object.values(read.blobs).some((record) => !Array.isArray(record))) throw new TypeError("it holds something else");
    return read;
  });

/** What lies at home and cannot be made out is not what was written there. */
function madeOut<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SealBroken(`${name} was changed at home: it cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

function sealedManifest(read: unknown): SealedManifest {
  const { manifest, sha256, seal } = read as Partial<SealedManifest>;
  const isSealed = seal === null || (typeof seal === "object" && typeof seal.key === "string" && typeof seal.signature === "string");
  if (typeof manifest?.blobs !== "object" || manifest.blobs === null || !Array.isArray(manifest.repositories) || typeof sha256 !== "string" || !isSealed) throw new TypeError("it holds something else");
  return { manifest, sha256, seal };
}

const digestOf = (manifest: Manifest): string => createHash("sha256").update(canonicalJson(manifest)).digest("hex");
