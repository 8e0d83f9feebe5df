/** The files of a real cluster's volumes: a folder for each volume, as a disk would keep them. */

export interface VolumeFile {
  /** Below the volume's root, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lowercase hex. */
  readonly sha256: string;
}
