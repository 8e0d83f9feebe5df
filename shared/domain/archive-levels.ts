/** The levels that are asked of what is inside a backup: its archive and its small files. The others: ladder-levels.ts. */
import { keyOf } from "./contents.ts";
import { instantText } from "./instant.ts";
import type { TarballFound } from "./inventory.ts";
import { type Case, type Finding, finding, namespacesOf, unread } from "./ladder-levels.ts";
import { someOf } from "./replica.ts";
import type { VeleroBackup } from "./velero-backup.ts";
import { type BackupFile, filesOf } from "./velero-backup-files.ts";

/** L2, second half: the archive was read to its end, and its format is one we know. */
export function readsThrough({ inventory: { tarball }, backup }: Case): Finding {
  switch (tarball.kind) {
    case "not-read":
      return finding("L2", "readable", "unknown", "the tarball was not read");
    case "absent":
      return finding("L2", "readable", false, "the tarball is not at the replica", "incomplete");
    case "broken":
      return finding("L2", "readable", false, tarball.why);
    case "read":
      if (isOfAnother(tarball, backup)) return finding("L2", "readable", false, `the tarball is that of another backup: it was written from ${instantText(tarball.written?.firstAt ?? 0)} to ${instantText(tarball.written?.lastAt ?? 0)}, and this backup began at ${instantText(backup.startedAt ?? 0)}`);
      return tarball.formatVersion.startsWith("1.")
        ? finding("L2", "readable", true, `the tarball was read to its end: ${tarball.contents.objects} objects`)
        : finding("L2", "readable", false, `the tarball's format is ${tarball.formatVersion}; only 1.x is known`);
  }
}

/**
 * Velero stamps each entry when it writes it, by the same clock as the backup's own times; nothing else in an archive says whose it is. Where
 * data is moved, the archive is written anew after the backup's end.
 */
function isOfAnother({ written }: Extract<TarballFound, { kind: "read" }>, { startedAt, completedAt, operationsAttempted }: VeleroBackup): boolean {
  if (written === undefined || startedAt === null) return false;
  return written.firstAt < startedAt - roundingMs || (operationsAttempted === 0 && completedAt !== null && written.lastAt > completedAt + roundingMs);
}

/** Both are cut to the second. */
const roundingMs = 1_000;

/** L4, first half: what Velero reads for a restore can be read. `null`: it can, as far as it was asked for. */
export function unreadableFile({ inventory: { name, files } }: Case): Finding | null {
  const names = filesOf(name);
  const broken = (Object.keys(names) as BackupFile[]).flatMap((file) => {
    const found = file === "tarball" ? undefined : files[file];
    return found?.kind === "unreadable" ? [`${names[file]} cannot be read: ${found.why}`] : [];
  });
  return broken[0] === undefined ? null : finding("L4", "readable", false, broken[0]);
}

/** L4, second half: the archive holds what the backup's own list names, and the plan's namespaces among it. */
export function holdsItsObjects({ inventory: { files, tarball }, backup, plan }: Case): Finding {
  const say = (ok: Finding["ok"], about: string) => finding("L4", "readable", ok, about);
  if (files.resourceList.kind !== "read") return unread("L4", "readable", "the resource list", files.resourceList);
  const listed = Object.entries(files.resourceList.value).flatMap(([kind, names]) => names.map((name) => ({ kind, name })));
  const lacking = namespacesOf(plan).filter((namespace) => !listed.some(({ kind, name }) => (kind === "v1/Namespace" ? name === namespace : name.startsWith(`${namespace}/`))));
  if (lacking.length > 0) return finding("L4", "readable", false, `it holds nothing of ${lacking.length === 1 ? "namespace" : "namespaces"} ${someOf(lacking)}, which the plan restores`, "incomplete");
  if (tarball.kind !== "read") return say("unknown", "the tarball's objects were not held against the resource list");
  // Velero takes the snapshot objects of moved volumes out again when it finalises a backup.
  const taken = (kind: string) => backup.operationsAttempted > 0 && /\/VolumeSnapshot(Content)?$/.test(kind);
  const missing = listed.filter(({ kind, name }) => !tarball.keys.has(keyOf(kind, name)) && !taken(kind)).map(({ kind, name }) => keyOf(kind, name));
  return missing.length === 0
    ? say(true, `all ${listed.length} objects of the resource list are in the tarball`)
    : say(false, `${missing.length} of ${listed.length} objects that the backup lists are not in its tarball: ${someOf(missing)}`);
}

/** L5: the archive is the final one, written after the last data movement. */
export function isFinal({ inventory: { files, tarball }, backup }: Case): Finding {
  const say = (ok: Finding["ok"], about: string) => finding("L5", "complete", ok, about);
  if (backup.operationsAttempted === 0) return say(true, "no data movement was asked for");
  if (files.itemOperations.kind !== "read") return unread("L5", "complete", "the list of data movements", files.itemOperations);
  const operations = files.itemOperations.value;
  if (operations.length !== backup.operationsAttempted) return say(false, `${backup.operationsAttempted} data movements were begun and ${operations.length} are listed: the list is not the last one`);
  const running = operations.filter(({ status }) => status.phase !== "Completed" && status.phase !== "Failed");
  if (running.length > 0) return say(false, `${running.length} of ${operations.length} data movements had not ended`);
  if (tarball.kind !== "read") return say("unknown", "the tarball was not read, so it may be the one from before the data movement ended");
  const uploads = new Map(tarball.contents.dataUploads.map((upload) => [`${upload.namespace}/${upload.name}`, upload]));
  const handles = files.volumeInfo.kind === "read" ? new Set(files.volumeInfo.value.map(({ snapshotDataMovementInfo }) => snapshotDataMovementInfo?.snapshotHandle)) : null;
  const stale = operations
    .filter(({ status }) => status.phase === "Completed")
    .flatMap(({ spec }) => spec.postOperationItems)
    .filter(({ Group, Resource }) => Group === "velero.io" && Resource === "datauploads")
    .map(({ Namespace, Name }) => `${Namespace}/${Name}`)
    .filter((upload) => {
      const found = uploads.get(upload);
      return found?.phase !== "Completed" || found.snapshot === "" || handles?.has(found.snapshot) === false;
    });
  return stale.length === 0 ? say(true, "the tarball holds the end of every data movement") : say(false, `the tarball is from before the data movement ended: ${someOf(stale)}`);
}
