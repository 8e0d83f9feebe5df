/**
 * The levels of the completeness check, L0 to L8, one function each: pure questions to an inventory. Those that look inside a backup's
 * archive and files are in archive-levels.ts. Each finding names the state of the ladder that needs it, so that "how far
 * is this point proven" is a fold over them (restore-point.ts). Levels: reference velero-azure.md B5; which state needs which:
 * architecture, "Ladder".
 */
import type { FindingKind } from "./findings.ts";
import { instantText } from "./instant.ts";
import type { Inventory, Repository } from "./inventory.ts";
import { own } from "./own.ts";
import type { Plan, Rung } from "./plan.ts";
import { allArrived, arrivalOf, kopiaWriteOnce, lastWriteOf, type Listing, someOf, type SourceView, type Written, whyNotArrived } from "./replica.ts";
import { inArchiveTier, watched } from "./repository-manifest.ts";
import { ended, stillWriting, type VeleroBackup } from "./velero-backup.ts";
import { type File, filesOf } from "./velero-backup-files.ts";
import { inRepository, type Volume } from "./volume.ts";
import { covers, type Watermark } from "./watermark.ts";

export interface Finding {
  readonly level: "L0" | "L1" | "L2" | "L3" | "L4" | "L5" | "L6" | "L7" | "L8" | "manifest" | "parity";
  /** The state that needs this to hold. */
  readonly rung: Rung;
  readonly ok: boolean | "unknown";
  /** A sentence without full stop: what is wrong, what could not be learnt, or what holds. */
  readonly about: string;
  /** What kind of trouble it is where it does not hold, if not the usual one of its level; see `troubleOf`. `none`: it is in the nature of things (it expired, it is not finished). */
  readonly trouble?: FindingKind | "none";
}

/** What kind of trouble a level that does not hold is. `null`: it holds, or it is none. */
export function troubleOf({ level, ok, trouble }: Finding): FindingKind | null {
  if (ok === true) return null;
  if (trouble !== undefined) return trouble === "none" ? null : trouble;
  if (ok === "unknown") return "unknown";
  switch (level) {
    case "L0":
    case "L2":
    case "L4":
      return "corrupt";
    case "L1":
    case "L3":
    case "L5":
    case "L7":
    case "L8":
      return "incomplete";
    case "L6":
      return "volume-without-data";
    case "manifest":
      return "tampered";
    case "parity":
      return "view-differs";
  }
}

/** All that the levels look at. `volumes` null: not known. */
export interface Case {
  readonly inventory: Inventory;
  readonly backup: VeleroBackup;
  readonly volumes: readonly Volume[] | null;
  readonly plan: Plan;
  readonly nowAt: number;
  readonly watermark: Watermark | null;
}

/** A finding in one line. */
export const finding = (level: Finding["level"], rung: Rung, ok: Finding["ok"], about: string, trouble?: FindingKind | "none"): Finding => ({ level, rung, ok, about, ...(trouble === undefined ? {} : { trouble }) });

/** L0: there is a `velero-backup.json`, it parses, and it is this backup's. */
export function isBackup({ name, files: { metadata } }: Inventory): Finding {
  switch (metadata.kind) {
    case "absent":
      return finding("L0", "seen", false, `backups/${name}/ has no velero-backup.json at the replica: it is no backup, or it is still arriving`, "incomplete");
    case "not-asked":
      return finding("L0", "seen", "unknown", "velero-backup.json was not read");
    case "unreadable":
      return finding("L0", "seen", false, `velero-backup.json cannot be read: ${metadata.why}`);
    case "read":
      return metadata.value.name === name
        ? finding("L0", "seen", true, "it is a backup")
        : finding("L0", "seen", false, `velero-backup.json is that of another backup, ${metadata.value.name}`);
  }
}

/** L1: it came to its end in a phase that the plan accepts, and lives long enough. */
export function isFinished({ backup, inventory, plan, nowAt }: Case): Finding {
  const no = (about: string) => finding("L1", "complete", false, about);
  const { phase } = backup;
  if (stillWriting(phase)) return finding("L1", "complete", false, `the backup is not finished: its phase at the replica is ${phase}`, "none");
  if (!ended(phase)) return no(`the backup ended ${phase}`);
  if (phase === "PartiallyFailed" && !plan.backups.acceptPartiallyFailed) {
    const { results } = inventory.files;
    const errors = results.kind === "read" && results.value.errors.length > 0 ? `: ${someOf(results.value.errors.map((error) => error.trim()), 2)}` : "";
    return no(`the backup ended PartiallyFailed with ${backup.errors} errors, and the plan accepts no such backup${errors}`);
  }
  if (backup.completedAt === null) return no(`the backup says ${phase} and not when`);
  if (backup.formatVersion !== null && !backup.formatVersion.startsWith("1.")) return no(`the backup's format is ${backup.formatVersion}; only 1.x is known`);
  const latestAt = Math.max(backup.startedAt ?? 0, backup.completedAt);
  if (latestAt > nowAt + clockSkewMs) return no(`the backup was taken at ${instantText(latestAt)}, as it says, which is still to come: whoever wrote it had another clock, and its age means nothing`);
  return expiryOf(backup.expiresAt, plan, nowAt) ?? finding("L1", "complete", true, `it ended ${phase}`);
}

/** By how much clocks of two regions may differ before the times of one mean nothing to the other. */
const clockSkewMs = 300_000;

/** Why a backup does not live long enough for a restore, as a finding; `null` when it does. */
export function expiryOf(expiresAt: number | null, plan: Plan, nowAt: number): Finding | null {
  if (expiresAt === null || expiresAt > nowAt + plan.backups.expiryMarginSeconds * 1000) return null;
  const when = instantText(expiresAt);
  return finding("L1", "complete", false, expiresAt <= nowAt ? `it expired at ${when}` : `it expires at ${when}, which is nearer than the plan's margin of ${plan.backups.expiryMarginSeconds} s`, "none");
}

/** L2, first half: there is an archive, and it is not empty. */
export function hasTarball({ inventory: { name, replica } }: Case): Finding {
  const tarball = replica.blobs.get(filesOf(name).tarball);
  if (!tarball) return finding("L2", "complete", false, "the tarball is not at the replica", "incomplete");
  return tarball.bytes > 0 ? finding("L2", "complete", true, `the tarball has ${tarball.bytes} bytes`) : finding("L2", "complete", false, "the tarball is empty");
}

/** L3, first half: none of the files that Velero always writes is lacking. */
export function hasAllFiles({ inventory: { name, replica } }: Case): Finding {
  const lacking = Object.values(filesOf(name)).filter((file) => !replica.blobs.has(file));
  return lacking.length === 0 ? finding("L3", "replicated", true, "all its files are at the replica") : finding("L3", "replicated", false, `${lacking.length} of its files are not at the replica: ${someOf(lacking)}`);
}

/** L3, second half: what the source wrote is what the replica has. */
export function hasArrived(of: Case): Finding {
  const { inventory, backup, watermark } = of;
  const { source, replica, name } = inventory;
  const say = (ok: Finding["ok"], about: string) => finding("L3", "replicated", ok, about);
  if (source.kind === "listed" && source.blobs.size > 0) {
    const why = whyNotArrived(arrivalOf(source.blobs, replica.blobs));
    return say(why === null, why ?? `all ${source.blobs.size} blobs have arrived, as the source shows them`);
  }
  if (source.kind === "listed") return say("unknown", "the source does not have this backup any more");
  if (source.kind === "itself") return say(true, "it lies where it was written");
  const lastWriteAt = lastWriteFor(of);
  if (source.kind === "recorded") {
    const lost = absent(source.blobs, replica);
    if (lost.length > 0) return say(false, `${lost.length} of ${source.blobs.size} blobs that the source had at ${instantText(source.listedAt)} are not at the replica: ${someOf(lost)}`);
    const final = backup.completedAt !== null && source.listedAt >= backup.completedAt && Object.values(filesOf(name)).every((file) => source.blobs.has(file));
    if (final && differing(source.blobs, replica).length === 0) return say(true, `all ${source.blobs.size} blobs are there that the source had at ${instantText(source.listedAt)}`);
  }
  return covers(watermark, lastWriteAt) ? say(true, "its last write is before the watermark") : say("unknown", unknownBecause(of, lastWriteAt, source));
}

/** L6: the data of every volume that the plan restores is in the store. */
export function hasVolumeData({ inventory: { files }, volumes, plan }: Case): Finding {
  const say = (ok: Finding["ok"], about: string) => finding("L6", "readable", ok, about);
  if (files.volumeInfo.kind !== "read") return unread("L6", "readable", "the list of volumes", files.volumeInfo);
  if (files.podVolumeBackups.kind !== "read") return unread("L6", "readable", "the list of volume copies", files.podVolumeBackups);
  const wanted = inScope(volumes ?? [], plan); // null only where one of the two was not read
  const lost = wanted.filter(({ restorable }) => !restorable);
  if (lost.length > 0) return say(false, `${lost[0]?.why ?? ""}${lost.length > 1 ? `; ${lost.length - 1} more volumes are not whole either` : ""}`);
  return say(true, wanted.length === 0 ? "it has no volumes" : `the data of all ${wanted.length} volumes is in the store`);
}

/** L7: each repository that the volumes need has its format blob. */
export function hasRepositories(of: Case): Finding {
  const say = (ok: Finding["ok"], about: string) => finding("L7", "complete", ok, about);
  const needed = repositoriesOf(of);
  if (needed === null) return say("unknown", "which repositories its volumes need is not known");
  const unlisted = needed.filter(({ repository }) => repository === null);
  if (unlisted.length > 0) return say("unknown", `kopia/${unlisted[0]?.namespace}/ was not listed`);
  const lacking = needed.filter(({ repository }) => !repository?.replica.blobs.has("kopia.repository"));
  if (lacking.length > 0) return say(false, `kopia/${lacking[0]?.namespace}/kopia.repository is not at the replica: no volume of that namespace can be restored`);
  return say(true, needed.length === 0 ? "its volumes need no repository" : "its repositories are there");
}

/** L8: everything that was written into those repositories up to the backup's end is at the replica. */
export function hasRepositoryData(of: Case): Finding {
  const needed = repositoriesOf(of);
  if (needed === null) return finding("L8", "complete", "unknown", "which repositories its volumes need is not known");
  if (needed.length === 0) return finding("L8", "complete", true, "its volumes need no repository");
  const findings = needed.map(({ namespace, repository }) =>
    repository === null ? finding("L8", "complete", "unknown", `kopia/${namespace}/ was not listed`) : closureOf(of, namespace, repository),
  );
  return findings.find(({ ok }) => ok === false) ?? findings.find(({ ok }) => ok === "unknown") ?? finding("L8", "complete", true, someOf(findings.map(({ about }) => about), 1));
}

/**
 * Whether one repository is whole as far as this backup goes. Later writes belong to later backups and do not count. While the source is
 * dark, a blob that it once had may be gone because the repository's maintenance removed it: then something newer lies beside it, and
 * the watermark decides; where nothing newer does, it is lost.
 */
function closureOf(of: Case, namespace: string, { replica, source }: Repository): Finding {
  const say = (ok: Finding["ok"], about: string) => finding("L8", "complete", ok, about);
  const archived = [...replica.blobs].flatMap(([name, blob]) => (blob.archived === true && watched(name) ? [name] : []));
  if (archived.length > 0) return say(false, inArchiveTier(namespace, archived));
  const folder = `kopia/${namespace}/`;
  const lastWriteAt = lastWriteFor(of);
  const upTo = <T extends Written>(blobs: ReadonlyMap<string, T>) => new Map([...blobs].filter(([, { lastModifiedAt }]) => lastModifiedAt <= lastWriteAt));
  if (source.kind === "listed" && source.blobs.size > 0) {
    const wanted = upTo(source.blobs);
    const arrival = arrivalOf(wanted, replica.blobs, kopiaWriteOnce);
    const of = arrival.of + (source.beyond?.arrived ?? 0);
    if (allArrived(arrival) && lastWriteAt >= (source.beyond?.othersFrom ?? Infinity)) return say("unknown", `${source.beyond?.others ?? 0} blobs of ${folder} came in another order at the two ends, and too many to hold against each other`);
    return allArrived(arrival) ? say(true, `all ${of} blobs of ${folder} are at the replica`) : say(false, `in ${folder}, ${whyNotArrived({ ...arrival, of }) ?? ""}`);
  }
  if (source.kind === "itself") return say(true, `${folder} lies where it was written`);
  if (source.kind === "recorded") {
    const wanted = upTo(source.blobs);
    const lost = [...absent(wanted, replica), ...differing(wanted, replica).filter(kopiaWriteOnce)];
    const since = instantText(source.listedAt);
    if (lost.length === 0 && source.listedAt > lastWriteAt) return say(true, `all ${wanted.size} blobs of ${folder} are at the replica that the source had at ${since}`);
    const newer = [...replica.blobs.keys()].some((name) => !source.blobs.has(name));
    if (lost.length > 0 && !(newer && covers(of.watermark, lastWriteAt)))
      return say(newer ? "unknown" : false, `${lost.length} blobs of ${folder} that the source had at ${since} are not at the replica: ${someOf(lost)}`);
  }
  return covers(of.watermark, lastWriteAt) ? say(true, `${folder} is whole up to the watermark, and the backup's last write is before it`) : say("unknown", unknownBecause(of, lastWriteAt, source));
}

/** The plan's namespaces. */
export const namespacesOf = (plan: Plan): readonly string[] => [...new Set(plan.applications.flatMap(({ namespaces }) => namespaces))];
/** The volumes that the plan restores. */
export const inScope = (volumes: readonly Volume[], plan: Plan): readonly Volume[] => volumes.filter(({ namespace }) => namespacesOf(plan).includes(namespace));

function repositoriesOf({ volumes, plan, inventory }: Case): readonly { readonly namespace: string; readonly repository: Repository | null }[] | null {
  if (volumes === null) return null;
  const namespaces = new Set(inScope(volumes, plan).filter(inRepository).map(({ namespace }) => namespace));
  return [...namespaces].map((namespace) => ({ namespace, repository: own(inventory.repositories, namespace) ?? null }));
}

/**
 * The instant of the backup's last write, or a later one. The source's own times are exact; the replica's are when copies were made
 * (replicated storage) or the same (shared), so never too early. The repository was written before the backup's folder was closed.
 */
function lastWriteFor({ inventory: { source, replica }, backup }: Case): number {
  const seen = "blobs" in source && source.blobs.size > 0 ? lastWriteOf(source.blobs) : lastWriteOf(replica.blobs);
  return Math.max(seen ?? 0, backup.completedAt ?? 0);
}

const absent = (wanted: ReadonlyMap<string, Written>, replica: Listing): readonly string[] => [...wanted.keys()].filter((name) => !replica.blobs.has(name));
const differing = (wanted: ReadonlyMap<string, Written>, replica: Listing): readonly string[] =>
  [...wanted].filter(([name, { bytes }]) => replica.blobs.has(name) && replica.blobs.get(name)?.bytes !== bytes).map(([name]) => name);

function unknownBecause({ watermark }: Case, lastWriteAt: number, source: SourceView): string {
  const mark = watermark === null ? "no watermark is known" : `the replica is known whole up to ${instantText(watermark.at)} only`;
  const look = source.kind === "unknown" ? source.why : source.kind === "recorded" ? `the source was last seen at ${instantText(source.listedAt)}` : "the source has it no more";
  return `${mark}, the backup's last write was at ${instantText(lastWriteAt)}, and ${look}`;
}

/** What is said where a file that a level asks was not read. */
export function unread(level: Finding["level"], rung: Rung, what: string, file: Exclude<File<unknown>, { kind: "read" }>): Finding {
  switch (file.kind) {
    case "absent":
      return finding(level, rung, false, `${what} is not at the replica`, "incomplete");
    case "unreadable":
      return finding(level, rung, false, `${what} cannot be read: ${file.why}`, "corrupt");
    case "not-asked":
      return finding(level, rung, "unknown", `${what} was not read`);
  }
}
