/** What the storage rules need of whoever keeps the bytes. They say when something moves; how it moves is not theirs. */
export interface BlobBytes {
  /** Copies content, content headers and metadata over whatever is there. `false`: the source has no such blob. Nothing is there until all of it is. */
  copy(from: BlobKey, to: BlobKey, signal?: AbortSignal): Promise<boolean>;
  /** Writes as Velero does: in blocks, without Content-MD5, as application/octet-stream. */
  put(key: BlobKey, content: Uint8Array): Promise<void>;
  /** Deleting what is not there is done already. */
  delete(key: BlobKey): Promise<void>;
  /** Creating what is there is done already. */
  createContainer(store: string, container: string): Promise<void>;
  deleteContainer(store: string, container: string): Promise<void>;
}

/** One blob in one store. A store is one copy of an account's content: an account without a second copy has one, of its own name. */
export interface BlobKey {
  readonly store: string;
  readonly container: string;
  readonly name: string;
}
