/** What an API server does with an object of a CRD before it is stored: unknown fields go, defaults come, wrong values are refused. */
import type { StatusCause } from "./api-error.ts";
import { isRecord } from "./object.ts";

type Schema = Readonly<Record<string, unknown>>;

/** The object without fields that its schema does not know, and with the schema's defaults. `apiVersion`, `kind` and `metadata` stay as they are. */
export function pruned(object: Readonly<Record<string, unknown>>, schema: Schema): Record<string, unknown> {
  const { apiVersion, kind, metadata, ...rest } = object;
  const kept = prune(rest, schema);
  return { apiVersion, kind, metadata, ...(isRecord(kept) ? kept : {}) };
}

function prune(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return isRecord(schema["items"]) ? value.map((element) => prune(element, schema["items"] as Schema)) : value;
  if (!isRecord(value)) return value;
  const { properties, additionalProperties } = schema;
  if (!isRecord(properties)) {
    if (!isRecord(additionalProperties)) return schema["x-kubernetes-preserve-unknown-fields"] === true || additionalProperties === true ? value : {};
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, prune(part, additionalProperties)]));
  }
  const known: Record<string, unknown> = schema["x-kubernetes-preserve-unknown-fields"] === true ? { ...value } : {};
  for (const [key, part] of Object.entries(properties)) {
    if (!isRecord(part)) continue;
    if (value[key] !== undefined) known[key] = prune(value[key], part);
    else if (part["default"] !== undefined) known[key] = structuredClone(part["default"]);
  }
  return known;
}

/** Everything that a schema has against an object, in the words of the API server. Empty: nothing. */
export function problems(object: Readonly<Record<string, unknown>>, schema: Schema): StatusCause[] {
  const { metadata: _, ...rest } = object;
  return check(rest, schema, "");
}

function check(value: unknown, schema: Schema, field: string): StatusCause[] {
  if (value === null) return schema["nullable"] === true || schema["type"] === undefined ? [] : [wrongType(field, "null", schema["type"])];
  const type = typeOf(value);
  const wanted = schema["type"];
  if (schema["x-kubernetes-int-or-string"] === true) return type === "string" || type === "integer" ? [] : [wrongType(field, type, "integer,string")];
  if (typeof wanted === "string" && wanted !== type && !(wanted === "number" && type === "integer")) return [wrongType(field, type, wanted)];
  if (Array.isArray(value)) return isRecord(schema["items"]) ? value.flatMap((element, at) => check(element, schema["items"] as Schema, `${field}[${at}]`)) : [];
  if (isRecord(value)) return checkRecord(value, schema, field);
  return checkScalar(value, schema, field);
}

function checkRecord(value: Readonly<Record<string, unknown>>, schema: Schema, field: string): StatusCause[] {
  const { properties, additionalProperties, required } = schema;
  const below = (key: string) => (field === "" ? key : `${field}.${key}`);
  const missing = (Array.isArray(required) ? required : [])
    .map(String)
    .filter((key) => value[key] === undefined)
    .map((key): StatusCause => ({ reason: "FieldValueRequired", message: "Required value", field: below(key) }));
  const parts = Object.entries(value).flatMap(([key, part]) => {
    const known = isRecord(properties) ? properties[key] : additionalProperties;
    return part !== undefined && isRecord(known) ? check(part, known, below(key)) : [];
  });
  return [...missing, ...parts];
}

function checkScalar(value: unknown, schema: Schema, field: string): StatusCause[] {
  const { minimum, maximum, pattern } = schema;
  const allowed = schema["enum"];
  if (Array.isArray(allowed) && !allowed.includes(value))
    return [{ reason: "FieldValueNotSupported", message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((one) => JSON.stringify(one)).join(", ")}`, field }];
  const wrong = (why: string): StatusCause[] => [{ reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${field} in body ${why}`, field }];
  if (typeof value === "number" && typeof minimum === "number" && value < minimum) return wrong(`should be greater than or equal to ${minimum}`);
  if (typeof value === "number" && typeof maximum === "number" && value > maximum) return wrong(`should be less than or equal to ${maximum}`);
  if (typeof value === "string" && typeof pattern === "string" && !new RegExp(pattern).test(value)) return wrong(`should match '${pattern}'`);
  return [];
}

const wrongType = (field: string, type: string, wanted: unknown): StatusCause => ({
  reason: "FieldValueTypeInvalid",
  message: `Invalid value: "${type}": ${field} in body must be of type ${String(wanted)}: "${type}"`,
  field,
});

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
