/** Until when a certificate holds, read out of its DER by hand: the domain knows no crypto, and one date is all that it needs. Pure. */

/** `notAfter` of the first certificate of a PEM text (RFC 5280, 4.1), UTC ms. `null`: it is not one, or is not whole. */
export function certificateEndsAt(pem: string): number | null {
  const [, base64 = ""] = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,32768})-----END CERTIFICATE-----/.exec(pem) ?? [];
  const bytes = bytesOf(base64.replaceAll(/\s/g, ""));
  const certificate = bytes && partAt(bytes, 0, sequence);
  const signed = certificate && partAt(bytes, certificate.from, sequence);
  if (!signed) return null;
  // Version (tagged, left out of the oldest ones), serial number, algorithm, issuer; then the validity: from, until.
  let at = signed.from;
  for (const tag of [...(bytes[at] === version ? [version] : []), integer, sequence, sequence]) {
    const part = partAt(bytes, at, tag);
    if (part === null) return null;
    at = part.until;
  }
  const validity = partAt(bytes, at, sequence);
  const from = validity && partAt(bytes, validity.from);
  const until = from && partAt(bytes, from.until);
  return until ? instantOf(new TextDecoder().decode(bytes.subarray(until.from, until.until)), bytes[from.until] ?? 0) : null;
}

const [integer, utcTime, generalizedTime, sequence, version] = [0x02, 0x17, 0x18, 0x30, 0xa0];

function bytesOf(base64: string): Uint8Array | null {
  try {
    return base64 === "" ? null : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

interface Part {
  readonly from: number;
  readonly until: number;
}

/** One value of tag, length and content (X.690, 8.1), with lengths of up to four bytes. `null`: another tag, or it goes on past the end. */
function partAt(bytes: Uint8Array, at: number, tag?: number): Part | null {
  const first = bytes[at + 1];
  if (first === undefined || (tag !== undefined && bytes[at] !== tag)) return null;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (first === 0x80 || lengthBytes > 4) return null;
  let length = lengthBytes === 0 ? first : 0;
  for (let nth = 0; nth < lengthBytes; nth++) length = length * 256 + (bytes[at + 2 + nth] ?? 0);
  const from = at + 2 + lengthBytes;
  return from + length > bytes.length ? null : { from, until: from + length };
}

/** Two digits of a year below 50 are of this century (RFC 5280, 4.1.2.5.1). */
function instantOf(text: string, tag: number): number | null {
  if (tag !== utcTime && tag !== generalizedTime) return null;
  const [, year = "", month, day, hour, minute, second] = (tag === utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text) ?? [];
  if (year === "") return null;
  const whole = tag === generalizedTime ? year : Number(year) < 50 ? `20${year}` : `19${year}`;
  const at = Date.parse(`${whole}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
}
