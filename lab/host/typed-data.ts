/**
 * RpcTypedData: how values travel between host and app. Exactly one member is set; none at all means "no value".
 */
export interface TypedData {
  readonly string?: string;
  /** JSON text. */
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly stream?: Uint8Array;
  readonly http?: HttpData;
  readonly int?: number;
  readonly double?: number;
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] };
  readonly collectionString?: { readonly string: readonly string[] };
  readonly collectionDouble?: { readonly double: readonly number[] };
  readonly collectionSint64?: { readonly sint64: readonly number[] };
}

/** An HTTP request on the way in, or an answer on the way out: one message type for both, every member optional. */
export interface HttpData {
  readonly method?: string;
  /** Absolute. */
  readonly url?: string;
  readonly nullableHeaders?: NullableStrings;
  readonly nullableQuery?: NullableStrings;
  readonly nullableParams?: NullableStrings;
  readonly body?: TypedData | null;
  readonly statusCode?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly HttpCookie[];
  readonly enableContentNegotiation?: boolean;
}

/** A map whose values may be absent, as protobuf wraps them. */
export type NullableStrings = Readonly<Record<string, { readonly value: string }>>;

export interface HttpCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value: string } | undefined;
  readonly path?: { readonly value: string } | undefined;
  readonly expires?: { readonly value: { readonly seconds: number } } | undefined;
  readonly secure?: { readonly value: boolean } | undefined;
  readonly httpOnly?: { readonly value: boolean } | undefined;
  /** `none`: not set; `explicitNone`: SameSite=None. */
  readonly sameSite?: "none" | "lax" | "strict" | "explicitNone";
  readonly maxAge?: { readonly value: number } | undefined;
}

/** A value of ours for the app, by the rules that the library uses the other way round; null and undefined are no value. */
export function toTypedData(value: unknown): TypedData | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return { string: value };
  if (typeof value === "number") return Number.isInteger(value) ? { int: value } : { double: value };
  if (value instanceof ArrayBuffer) return { bytes: new Uint8Array(value) };
  if (ArrayBuffer.isView(value)) return { bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) };
  return { json: JSON.stringify(value) };
}

/** A value of the app for us. Unlike the app's side it parses no strings: `"5"` stays a string. */
export function fromTypedData(data: TypedData | null | undefined): unknown {
  if (!data) return undefined;
  if (data.string !== undefined) return data.string;
  if (data.json !== undefined) return JSON.parse(data.json);
  if (data.bytes !== undefined) return Buffer.from(data.bytes);
  if (data.stream !== undefined) return Buffer.from(data.stream);
  if (data.int !== undefined) return data.int;
  if (data.double !== undefined) return data.double;
  if (data.collectionBytes) return data.collectionBytes.bytes.map((bytes) => Buffer.from(bytes));
  if (data.collectionString) return data.collectionString.string;
  if (data.collectionDouble) return data.collectionDouble.double;
  if (data.collectionSint64) return data.collectionSint64.sint64;
  return data.http;
}

/** A value of the app as JSON text, as a durable history keeps an activity's result: bytes in base64, no value as null. */
export function toJsonText(data: TypedData | null | undefined): string | null {
  if (data?.json !== undefined) return data.json;
  const value = fromTypedData(data);
  if (value === undefined) return null;
  return JSON.stringify(Buffer.isBuffer(value) ? value.toString("base64") : value);
}
