/**
 * Takes a tar apart as its bytes come, without a stream for each entry (docs/decisions/0010-own-tar-reader.md). Knows what Go's archive/tar
 * writes (ustar, pax, GNU's long names: POSIX.1-1988 and 2001, the manual of GNU tar), and refuses the rest by name.
 */

/** What was found is not what Velero writes. */
export class Unlike extends Error {
  override readonly name = "Unlike";
}

export interface TarBounds {
  /** Of one entry. */
  readonly entryBytes: number;
  readonly entries: number;
}

export interface TarEntries {
  /** Throws an `Unlike`, an `Error` for a damaged header, and whatever `take` throws. */
  push(piece: Buffer): void;
  /** Nothing more comes. Throws where the archive has not come to its own end. */
  end(): void;
}

const block = 512;
/** Go takes a mebibyte for the long name of one entry. */
const longBytesMax = 1024 * 1024;
/** The end is two blocks of zeros, and some writers fill up to 10 KiB. */
const paddingBlocksMax = 2_048;

interface Header {
  readonly name: string;
  readonly bytes: number;
  readonly type: string;
  readonly modifiedAt: number;
}

/** What is called with each file: name, body (a view into the piece that it came in), and when it was written (UTC ms, to the second). */
export type TakeEntry = (name: string, body: Buffer, modifiedAt: number) => void;

/** Calls `take` with each file, in order. */
export function openTarEntries({ entryBytes, entries: entriesMax }: TarBounds, take: TakeEntry): TarEntries {
  let wanted = block;
  let parts: Buffer[] = [];
  let held = 0;
  /** Whose body comes next; `null`: a header. */
  let current: Header | null = null;
  let long: Partial<Pick<Header, "name" | "bytes">> = {};
  let zeroBlocks = 0;
  let entries = 0;

  const header = (bytes: Buffer): void => {
    if (isZero(bytes)) {
      zeroBlocks += 1;
      if (zeroBlocks > paddingBlocksMax) throw new Unlike(`more than ${paddingBlocksMax * block} bytes follow its last entry`);
      return;
    }
    if (zeroBlocks > 0) throw new Unlike("something follows its end");
    const read = headerOf(bytes);
    const found = extended.has(read.type) ? read : { ...read, ...long };
    const bytesMax = extended.has(read.type) ? longBytesMax : entryBytes;
    if (!extended.has(read.type)) long = {};
    judge(found, bytesMax);
    entries += 1;
    if (entries > entriesMax) throw new Unlike(`it holds more than ${entriesMax} entries`);
    if (found.bytes === 0) return body(found, Buffer.alloc(0));
    current = found;
    wanted = Math.ceil(found.bytes / block) * block;
  };
  const body = ({ name, type, modifiedAt }: Header, bytes: Buffer): void => {
    current = null;
    wanted = block;
    if (type === "x") long = { ...long, ...paxOf(bytes) };
    else if (type === "L") long = { ...long, name: textOf(bytes) };
    else if (type === "0") take(name, bytes, modifiedAt);
  };

  return {
    push(piece) {
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + wanted - held);
        at += part.length;
        held += part.length;
        if (held < wanted) parts.push(part);
        else {
          const whole = parts.length === 0 ? part : Buffer.concat([...parts, part], wanted);
          parts = [];
          held = 0;
          if (current === null) header(whole);
          else body(current, whole.subarray(0, current.bytes));
        }
      }
    },
    end() {
      if (current !== null || held > 0) throw new Error("unexpected end of data: the archive inside ends within an entry");
      if (zeroBlocks < 2) throw new Error("unexpected end of data: the archive inside has no end");
    },
  };
}

/** Entries that say something of the next one. */
const extended: ReadonlySet<string> = new Set(["x", "g", "L"]);
const otherTypes: Readonly<Record<string, string>> = { "1": "a hard link", "2": "a symbolic link", "3": "a device", "4": "a device", "6": "a pipe", K: "a link", S: "a sparse file" };

function judge({ name, bytes, type }: Header, bytesMax: number): void {
  if (type !== "0" && type !== "5" && !extended.has(type)) throw new Unlike(`${shown(name)} in it is no file but ${otherTypes[type] ?? `an entry of type ${JSON.stringify(type)}`}`);
  if (name.startsWith("/") || name.includes("\\") || name.includes("\0") || /(^|\/)\.\.(\/|$)/.test(name)) throw new Unlike(`${shown(name)} in it leads out of the folder that it is unpacked in`);
  if (bytes > bytesMax) throw new Unlike(`${shown(name)} in it has more than ${bytesMax} bytes`);
}

/** A name for people: of a bounded length. */
const shown = (name: string): string => (name.length <= 300 ? name : `${name.slice(0, 299)}…`);

function headerOf(bytes: Buffer): Header {
  let sum = 0;
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 0x20 : (bytes[at] ?? 0);
  if (numberOf(bytes, 148, 156) !== sum) throw new Error("a header in it does not agree with its checksum");
  const type = bytes.toString("latin1", 156, 157);
  const name = textOf(bytes.subarray(0, 100));
  // GNU's older form has other fields where POSIX has the beginning of a long name.
  const prefix = bytes.toString("latin1", 257, 263) === "ustar\0" ? textOf(bytes.subarray(345, 500)) : "";
  return { name: prefix === "" ? name : `${prefix}/${name}`, bytes: numberOf(bytes, 124, 136), modifiedAt: numberOf(bytes, 136, 148) * 1_000, type: type === "\0" || type === "7" ? "0" : type };
}

/** Octal digits; or, with the highest bit set, the number itself. */
function numberOf(bytes: Buffer, from: number, to: number): number {
  if (((bytes[from] ?? 0) & 0x80) !== 0) return bytes.readUIntBE(to - 6, 6);
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else if (value > 0 || digit !== -0x10) break; // spaces may come first
  }
  return value;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

/** `30 path=…\n`: the length of the whole record, a key, a value. */
function paxOf(bytes: Buffer): Partial<Pick<Header, "name" | "bytes">> {
  const found: { name?: string; bytes?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(" ", at);
    const length = Number(bytes.toString("latin1", at, space));
    const equals = bytes.indexOf("=", space);
    if (space === -1 || equals === -1 || !(length > equals - at) || at + length > bytes.length) throw new Error("a long header in it cannot be read");
    const key = bytes.toString("latin1", space + 1, equals);
    const value = bytes.toString("utf8", equals + 1, at + length - 1);
    if (key === "path") found.name = value;
    if (key === "size") found.bytes = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    // Go makes another file of what follows, as these say; nothing in an archive of Velero's is sparse.
    if (key.startsWith("GNU.sparse.")) throw new Unlike(`a long header in it makes a sparse file`);
    at += length;
  }
  if (found.bytes !== undefined && !Number.isSafeInteger(found.bytes)) throw new Error("a long header in it cannot be read");
  return found;
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < block; at++) if (bytes[at] !== 0) return false;
  return true;
}
