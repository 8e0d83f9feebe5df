/** A made-up container in the shape of Velero's and Kopia's: somewhat less than half of the blobs in backups of nine, the rest in one repository. */

export interface MadeUpBlob {
  readonly name: string;
  readonly bytes: number;
}

const perBackup = ["-itemoperations.json.gz", "-logs.gz", "-podvolumebackups.json.gz", "-resource-list.json.gz", "-results.gz", "-volumeinfo.json.gz", "-volumesnapshots.json.gz", ".tar.gz"] as const;

/** One of `total` blobs; they are numbered in the order in which a service lists them. */
export function blobAt(index: number, total: number): MadeUpBlob {
  const inBackups = Math.floor((total * 0.45) / 9) * 9;
  const bytes = 1_000 + ((index * 7_919) % 1_000_000);
  if (index < inBackups) {
    const backup = `hourly-${String(Math.floor(index / 9)).padStart(14, "0")}`;
    const suffix = perBackup[index % 9];
    return { name: `backups/${backup}/${suffix === undefined ? "velero-backup.json" : backup + suffix}`, bytes };
  }
  const kind = index < total * 0.9 ? "p" : "q";
  return { name: `kopia/shop/${kind}${index.toString(16).padStart(32, "0")}-s${(index % 97).toString(16).padStart(18, "0")}`, bytes };
}
