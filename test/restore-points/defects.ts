/** What can be wrong with a recorded backup: each defect planted into containers that were whole, and what must be said of it. */
import { gunzipSync, gzipSync } from "node:zlib";
import { type Blob, type Container, recordedContainer, type Stage } from "./store.ts";

export interface Defect {
  readonly what: string;
  /** Before anybody has looked, or after a look has found the point whole and has sealed it. */
  readonly when: "before" | "after";
  readonly plant: (stage: Stage) => void;
  /** Part of the reason, or of an open level. */
  readonly says: RegExp;
  /** Points that lose their proof by it; default the newest. */
  readonly hits?: readonly string[];
}

export const newest = "shop-hourly-20261121055825";
export const older = ["shop-hourly-20261121055818", "shop-hourly-20261121055809"] as const;
const folder = `backups/${newest}/`;
const metadata = `${folder}velero-backup.json`;
const tarball = `${folder}${newest}.tar.gz`;
const file = (suffix: string): string => `${folder}${newest}${suffix}`;
const own = [...recordedContainer().keys()].filter((name) => name.startsWith(folder));
const packs = [...recordedContainer().keys()].filter((name) => name.startsWith("kopia/shop/"));
/** Two of each kind of blob in the repository, and those with names of their own; all written before the first point ended, or for the newest. */
const oldPacks = ["p207c4b7192bb78f39fac0a6dd1917ebe-s314916cc9f4fdc7d147", "qffdec6a125769fac6060f6a06c891e91-s314916cc9f4fdc7d147"].map((name) => `kopia/shop/${name}`);
const everyPoint = [newest, ...older];

type Side = "source" | "replica";
const both: readonly Side[] = ["source", "replica"];
const blobOf = (container: Container, name: string): Blob => {
  const blob = container.get(name);
  if (!blob) throw new Error(`there is no ${name}`);
  return blob;
};
/** Puts other bytes under a name, written now; at the source their copy counts as arrived. */
const rewrite = (name: string, change: (bytes: Uint8Array) => Uint8Array, sides: readonly Side[] = both, sameTime = false) => (stage: Stage): void => {
  for (const side of sides) {
    const blob = blobOf(stage[side], name);
    stage[side].set(name, { ...blob, bytes: change(blob.bytes), lastModifiedAt: sameTime ? blob.lastModifiedAt : stage.nowAt - 1_000 });
  }
};
const remove = (...names: readonly string[]) => (stage: Stage): void => {
  for (const name of names) if (!stage.replica.delete(name)) throw new Error(`there is no ${name}`);
};
const status = (replication: Blob["replication"], ...names: readonly string[]) => (stage: Stage): void => {
  for (const name of names) stage.source.set(name, { ...blobOf(stage.source, name), replication });
};
const all = (...plants: readonly ((stage: Stage) => void)[]) => (stage: Stage): void => {
  for (const plant of plants) plant(stage);
};
const cutTo = (length: number) => (bytes: Uint8Array): Uint8Array => bytes.slice(0, length);
const flipAt = (at: (length: number) => number) => (bytes: Uint8Array): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  const place = at(changed.length);
  changed[place] = (changed[place] ?? 0) ^ 1;
  return changed;
};
const middle = (length: number): number => Math.floor(length / 2);
type Json = Record<string, unknown>;
const json = (change: (value: Json) => unknown) => (bytes: Uint8Array): Uint8Array => Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString("utf8")) as Json)));
const gzJson = <T>(change: (value: T) => unknown) => (bytes: Uint8Array): Uint8Array => gzipSync(JSON.stringify(change(JSON.parse(gunzipSync(bytes).toString("utf8")) as T)));
const of = (backup: Json, part: string): Json => backup[part] as Json;
const withStatus = (change: Json) => rewrite(metadata, json((backup) => ({ ...backup, status: { ...of(backup, "status"), ...change } })));
const swap = (name: string, sides: readonly Side[] = both) => (stage: Stage): void => rewrite(name, () => blobOf(recordedContainer(), name.replaceAll(newest, older[0])).bytes, sides)(stage);

const before = (what: string, plant: Defect["plant"], says: RegExp, hits?: readonly string[]): Defect => ({ what, when: "before", plant, says, ...(hits ? { hits } : {}) });
const after = (what: string, plant: Defect["plant"], says: RegExp, hits?: readonly string[]): Defect => ({ what, when: "after", plant, says, ...(hits ? { hits } : {}) });
const short = (name: string): string => name.slice(name.lastIndexOf("/") + 1).replace(newest, "…");

const missing: readonly Defect[] = [
  ...own.map((name) => before(`${short(name)} is missing`, remove(name), /gone from the replica|no velero-backup.json|not at the replica/)),
  ...packs.map((name) => before(`${short(name)} is missing from the repository`, remove(name), /kopia\/shop|gone from the replica/, upTo(name))),
  before("the whole folder is missing at the replica", remove(...own), /no velero-backup.json at the replica/),
  before("the whole repository is missing at the replica", remove(...packs), /kopia\/shop/, everyPoint),
  after("its tarball is deleted after the proof", remove(tarball), /gone from the replica/),
  after("a pack is deleted at the replica after the proof", remove(oldPacks[0] ?? ""), /kopia\/shop/, everyPoint),
];

/** A blob of the repository is needed by every point that ended after it was written. */
function upTo(name: string): readonly string[] {
  const writtenAt = recordedContainer().get(name)?.lastModifiedAt ?? 0;
  return everyPoint.filter((point) => Math.max(...[...recordedContainer()].filter(([blob]) => blob.startsWith(`backups/${point}/`)).map(([, { lastModifiedAt }]) => lastModifiedAt)) >= writtenAt);
}

const truncated: readonly Defect[] = [
  ...Array.from({ length: 9 }, (_, block) => before(`the tarball is cut off after ${block * 4_096} bytes, at both ends`, rewrite(tarball, cutTo(block * 4_096)), /cut off|empty/)),
  ...own.filter((name) => name.endsWith(".json.gz") || name.endsWith("-results.gz")).map((name) => before(`${short(name)} is cut in half, at both ends`, rewrite(name, (bytes) => bytes.slice(0, middle(bytes.length))), /cannot be read: it cannot be unpacked/)),
  before("velero-backup.json is cut in half, at both ends", rewrite(metadata, (bytes) => bytes.slice(0, middle(bytes.length))), /velero-backup.json cannot be read/),
  before("the log is cut in half at the replica", rewrite(file("-logs.gz"), cutTo(100), ["replica"]), /another length/),
  before("a pack is cut off at the replica", rewrite(oldPacks[0] ?? "", cutTo(1_000), ["replica"], true), /another length/, upTo(oldPacks[0] ?? "")),
  before("a file is empty, at both ends", rewrite(file("-volumeinfo.json.gz"), cutTo(0)), /cannot be (read|unpacked)/),
];

const flipped: readonly Defect[] = [
  ...own.filter((name) => name.endsWith(".json.gz") || name.endsWith("-results.gz") || name.endsWith(".tar.gz")).map((name) => before(`one bit of ${short(name)} is flipped, at both ends`, rewrite(name, flipAt(middle)), /cannot be (read|unpacked)|damaged|cut off/)),
  before("the first bit of velero-backup.json is flipped, at both ends", rewrite(metadata, flipAt(() => 0)), /velero-backup.json cannot be read/),
  ...own.map((name) => after(`one bit of ${short(name)} is flipped after the proof`, rewrite(name, flipAt((length) => length - 3), ["replica"]), /another content|cannot be read|cut off|damaged/)),
  ...["p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147", "q7fb64195db6a5dfd017957968329097a-sbee9bca494d7cd13147", "xn0_128ced9e6e005c226637d6bb3da392e0-se7cc6610244b2961147-c1"].map((name) =>
    after(`one bit of pack ${name.slice(0, 6)}… is flipped after the proof`, rewrite(`kopia/shop/${name}`, flipAt(middle), ["replica"]), /kopia\/shop/, everyPoint),
  ),
];

const otherGeneration: readonly Defect[] = [
  ...["-volumeinfo.json.gz", "-podvolumebackups.json.gz", ".tar.gz"].map((suffix) => before(`…${suffix} is that of the point before, at the replica`, swap(file(suffix), ["replica"]), /another length|two different snapshots|the tarball is that of another backup/)),
  before("the tarball is that of the point before, at both ends", swap(tarball), /the tarball is that of another backup/),
  before("velero-backup.json is that of another backup", swap(metadata), /is that of another backup/),
  before("the copies' list is that of the point before, at both ends", swap(file("-podvolumebackups.json.gz")), /two different snapshots/),
  after("the tarball is swapped for that of the point before, at both ends", swap(tarball), /another content/),
  after("every file is swapped for that of the point before", all(...own.map((name) => swap(name))), /another backup|another content|made anew/),
  before("the replica has velero-backup.json from before the end", all(rewrite(metadata, json((backup) => ({ ...backup, status: { ...of(backup, "status"), phase: "Finalizing" } })), ["replica"]), status("pending", metadata)), /have not arrived|phase at the replica is Finalizing/),
  before("data was moved, and the list of it is not the last one", withStatus({ backupItemOperationsAttempted: 2 }), /the list is not the last one/),
  before("data was moved, and the tarball is from before its end", all(withStatus({ backupItemOperationsAttempted: 1 }), rewrite(file("-itemoperations.json.gz"), () => gzipSync(JSON.stringify([{ spec: { operationID: "1", postOperationItems: [{ Group: "velero.io", Resource: "datauploads", Namespace: "velero", Name: "u1" }] }, status: { phase: "Completed" } }])))), /from before the data movement ended/),
  before("the list of objects names one that the tarball lacks", rewrite(file("-resource-list.json.gz"), gzJson<Record<string, string[]>>((list) => ({ ...list, "v1/Secret": [...(list["v1/Secret"] ?? []), "shop/made-up"] }))), /v1\/Secret shop\/made-up/),
  after("the folder is made anew under the same name", all(rewrite(metadata, json((backup) => ({ ...backup, metadata: { ...of(backup, "metadata"), uid: "another" } }))), rewrite(tarball, (bytes) => bytes)), /made anew|another backup of the same name/),
  after("a blob that Velero never wrote lies in the folder", (stage) => stage.replica.set(`${folder}${newest}-results.gz.bak`, { bytes: new Uint8Array(3), lastModifiedAt: stage.nowAt, replication: "pending" }), /were not there/),
];

const rename = (from: string, to: string) => (stage: Stage): void => {
  stage.replica.set(to, blobOf(stage.replica, from));
  remove(from)(stage);
};
const arriving: readonly Defect[] = [
  before("a file has a name in another case at the replica", rename(file("-results.gz"), file("-Results.gz")), /gone from the replica|not at the replica/),
  before("velero-backup.json has a name in another case at the replica", rename(metadata, `${folder}Velero-Backup.json`), /no velero-backup.json/),
  before("a pack has a name in another case at the replica", rename(oldPacks[0] ?? "", (oldPacks[0] ?? "").toUpperCase().replace("KOPIA/SHOP/", "kopia/shop/")), /kopia\/shop/, upTo(oldPacks[0] ?? "")),
  before("velero-backup.json arrived before the rest", all(remove(...own.filter((name) => name !== metadata)), status("pending", ...own)), /have not arrived/),
  before("the rest arrived before velero-backup.json", all(remove(metadata), status("pending", metadata)), /no velero-backup.json at the replica/),
  before("the tarball is on its way", all(remove(tarball), status("pending", tarball)), /have not arrived/),
  before("the tarball is written anew, and its old copy is here", all(rewrite(tarball, (bytes) => bytes, ["source"]), status("pending", tarball)), /have not arrived/),
  before("a pack is on its way for two hours", all(remove(oldPacks[1] ?? ""), status("pending", oldPacks[1] ?? ""), (stage) => void (stage.nowAt += 7_200_000)), /have not arrived/, upTo(oldPacks[1] ?? "")),
  before("the copy of a file has failed", all(remove(tarball), status("failed", tarball)), /could not be replicated/),
  before("the copy of a pack has failed", all(remove(oldPacks[0] ?? ""), status("failed", oldPacks[0] ?? "")), /could not be replicated/, upTo(oldPacks[0] ?? "")),
  before("the newest write is not known to have arrived, and the source is dark", (stage) => void Object.assign(stage, { dark: true }), /no watermark is known/, everyPoint),
];

const untrue: readonly Defect[] = [
  before("it has expired", withStatus({ expiration: "2026-11-21T06:00:00Z" }), /it expired at/),
  before("it expires before a restore would end", withStatus({ expiration: "2026-11-21T06:30:00Z" }), /nearer than the plan's margin/),
  before("it ended in the future", withStatus({ completionTimestamp: "2027-01-01T00:00:00Z" }), /still to come/),
  before("it was begun in the future", withStatus({ startTimestamp: "2027-01-01T00:00:00Z" }), /still to come/),
  before("it is older than the plan allows", withStatus({ startTimestamp: "2026-11-01T00:00:00Z" }), /longer ago/),
  before("it does not say when it ended", withStatus({ completionTimestamp: undefined }), /and not when/),
  ...["Sublimated", "Failed", "FailedValidation", "Deleting", "InProgress", "New", "Queued", "WaitingForPluginOperations", "Finalizing", "PartiallyFailed"].map((phase) => before(`its phase is ${phase}`, withStatus({ phase }), new RegExp(phase))),
  before("its format is of version 2", withStatus({ formatVersion: "2.0.0" }), /its? format is 2\.0\.0|format is 2\.0\.0/),
  before("its volume was skipped", rewrite(file("-volumeinfo.json.gz"), gzJson<Json[]>((list) => list.map((volume) => ({ ...volume, skipped: true })))), /was skipped/),
  before("its volume is a snapshot that stays in its region", rewrite(file("-volumeinfo.json.gz"), gzJson<Json[]>((list) => list.map((volume) => ({ ...volume, backupMethod: "NativeSnapshot", pvbInfo: undefined })))), /does not leave its region|disk snapshot/),
  before("the copy of its volume names no snapshot", rewrite(file("-podvolumebackups.json.gz"), gzJson<{ status: Json }[]>((list) => list.map((copy) => ({ ...copy, status: { ...copy.status, snapshotID: "" } })))), /names no snapshot/),
  before("the copy of its volume failed", rewrite(file("-podvolumebackups.json.gz"), gzJson<{ status: Json }[]>((list) => list.map((copy) => ({ ...copy, status: { ...copy.status, phase: "Failed" } })))), /ended Failed/),
  before("no file mentions its volume", all(rewrite(file("-volumeinfo.json.gz"), gzJson(() => [])), rewrite(file("-podvolumebackups.json.gz"), gzJson(() => []))), /as a claim only/),
  before("it holds nothing of the plan's namespace", rewrite(file("-resource-list.json.gz"), gzJson(() => ({ "v1/Node": ["n1"] }))), /holds nothing of namespace shop/),
  before("a file holds something else than it should", rewrite(file("-volumeinfo.json.gz"), gzJson(() => "a text")), /cannot be read/),
];

export const defects: readonly Defect[] = [...missing, ...truncated, ...flipped, ...otherGeneration, ...arriving, ...untrue];
