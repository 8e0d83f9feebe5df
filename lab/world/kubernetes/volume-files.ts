/** What is on the volumes of a cluster: the files that no API shows. */
export type Files = Readonly<Record<string, string>>;

export interface VolumeFiles {
  /** The files on a PersistentVolume; a volume that nobody wrote to is empty. */
  read(volume: string): Files;
  /** Replaces everything on it. */
  write(volume: string, files: Files): void;
  /** The volume is gone, its files too. */
  discard(volume: string): void;
  /** Calls back after every write. */
  onWrite(call: (volume: string) => void): void;
}

export function openVolumeFiles(): VolumeFiles {
  const volumes = new Map<string, Files>();
  const listeners: ((volume: string) => void)[] = [];
  return {
    read: (volume) => volumes.get(volume) ?? {},
    write(volume, files) {
      volumes.set(volume, { ...files });
      for (const call of listeners) call(volume);
    },
    discard: (volume) => void volumes.delete(volume),
    onWrite: (call) => void listeners.push(call),
  };
}
