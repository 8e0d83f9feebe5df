/** Turns what zod found wrong with a plan into sentences for its author: the problem, and what to do about it. */
import { z } from "zod";
import { asWritten, corrected, type Misspelt } from "./plan-misspelt.ts";
import { nearest } from "./spelling.ts";

export interface Complaint {
  readonly path: readonly PropertyKey[];
  /** What of the path is at fault: the key itself, or the value behind it. */
  readonly at: "key" | "value";
  /** Whether what stands there is wrong by itself, and not for something that stands elsewhere or nowhere. */
  readonly alone: boolean;
  readonly problem: string;
  readonly remedy: string;
}

const issuesMax = 1_000;
/** Keys that are read under another name, and how deep one of them may stand under the other. */
const misspeltMax = 20;
const roundsMax = 3;

/**
 * The complaints about `data`, in the order zod found them; of a file of nonsense the first thousand or so. `whole` is what people call it. What
 * stands under a key that is misspelt for certain is judged as if the key were right, and nothing is called missing that stands there.
 */
export function complaintsOf(error: z.ZodError, schema: z.ZodType, data: unknown, whole = "the plan"): Complaint[] {
  const misspelt: Misspelt[] = [];
  const about: Complaint[] = [];
  let [left, read]: [z.ZodError | undefined, unknown] = [error, data];
  for (let round = 1; left !== undefined && round <= roundsMax; round += 1) {
    const found = misspeltIn(left, schema, read).slice(0, misspeltMax);
    if (found.length === 0) break;
    about.push(...found.map(({ path, written }) => unknownKey(path, written, keysOf(schemaAt(schema, path, read), valueAt(read, path)), whole)));
    misspelt.push(...found);
    read = corrected(read, found);
    left = schema.safeParse(read).error;
  }
  const others = (left?.issues ?? []).slice(0, issuesMax).flatMap((issue) => complaints(issue, schema, read, whole));
  return [...about, ...others].map((complaint) => ({ ...complaint, path: asWritten(complaint.path, misspelt) }));
}

/** Unknown keys of which it is clear what they stand for: a key that is near, is not there, and that no other one is near to. */
function misspeltIn(error: z.ZodError, schema: z.ZodType, data: unknown): Misspelt[] {
  return error.issues.slice(0, issuesMax).flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [];
    const found = valueAt(data, issue.path);
    const known = keysOf(schemaAt(schema, issue.path, data), found);
    const near = issue.keys.slice(0, misspeltMax).flatMap((written) => {
      const meant = nearest(written, known);
      return meant === null || valueAt(found, [meant]) !== undefined ? [] : [{ path: issue.path, written, meant }];
    });
    return near.filter(({ meant }) => near.filter((other) => other.meant === meant).length === 1);
  });
}

function complaints(issue: z.core.$ZodIssue, root: z.ZodType, data: unknown, whole: string): Complaint[] {
  const { path } = issue;
  const schema = schemaAt(root, path, data);
  const found = valueAt(data, path);
  if (issue.code === "unrecognized_keys") return issue.keys.slice(0, issuesMax).map((key) => unknownKey(path, key, keysOf(schema, found), whole));

  const field = fieldName(path, whole);
  const about = meaningOf(schema);
  const because = (problem: string, remedy: string): Complaint[] => [{ path, at: "value", alone: false, problem, remedy }];
  if (issue.code === "custom") return because(issue.message.startsWith("`") ? issue.message : `${field} ${issue.message}`, remedyOf(issue) ?? `check ${field}`);
  if (found === undefined) return because(`${field} is missing`, optionsOf(issue) ?? `add it${about}`);
  if (found === null) return because(`${field} has no value`, optionsOf(issue) ?? `give it one${about}`);

  const wrong = (problem: string, remedy = `correct it${about}`): Complaint[] => [{ path, at: "value", alone: true, problem: `${field} ${problem}`, remedy }];
  switch (issue.code) {
    case "invalid_type":
      return wrong(`must be ${kinds[issue.expected] ?? issue.expected}, not ${shown(found)}`);
    case "invalid_union":
    case "invalid_value":
      return wrong(`cannot be ${shown(found)}`, optionsOf(issue, found) ?? undefined);
    case "too_small":
      return wrong(sized(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum));
    case "too_big":
      return wrong(sized(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum));
    case "invalid_format":
      return wrong(`${issue.message}; it is ${shown(found)}`);
    default:
      return wrong(`is wrong: ${issue.message}`);
  }
}

function unknownKey(path: Complaint["path"], key: string, known: readonly string[], whole: string): Complaint {
  const meant = nearest(key, known);
  const remedy = meant === null ? `remove it; known here: ${known.join(", ")}` : `did you mean \`${meant}\`?`;
  return { path: [...path, key], at: "key", alone: true, problem: `\`${key.slice(0, 60)}\` is not a key of ${fieldName(path, whole)}`, remedy };
}

/** What people call the field: its key, with its place where it is one of a list. */
function fieldName(path: Complaint["path"], whole: string): string {
  const key = path.findLastIndex((step) => typeof step === "string");
  return key < 0 ? whole : `\`${String(path[key])}${path.slice(key + 1).map((place) => `[${String(place)}]`).join("")}\``;
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list (lines that begin with `- `)",
  object: "a group of keys",
};

function sized(origin: string, bound: "at least" | "at most" | "more than" | "less than", size: number | bigint): string {
  if (origin === "string") return `must have ${bound} ${size} characters`;
  if (origin === "array") return `must have ${bound} ${size} ${size === 1 ? "entry" : "entries"}`;
  return `must be ${bound} ${size}`;
}

/** What may stand there, where it is one of a few words. */
function optionsOf(issue: z.core.$ZodIssue, found?: unknown): string | null {
  const options = issue.code === "invalid_value" ? issue.values.map(String) : issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  if (options.length === 0) return null;
  const meant = typeof found === "string" ? nearest(found, options) : null;
  if (meant !== null) return `did you mean \`${meant}\`?`;
  return options.length === 1 ? `write ${options[0]}` : `choose one of ${options.join(", ")}`;
}

function remedyOf(issue: z.core.$ZodIssue): string | null {
  const remedy: unknown = issue.code === "custom" ? issue.params?.["remedy"] : undefined;
  return typeof remedy === "string" ? remedy : null;
}

/** A value as it may stand in a message: on one line, short, and without what somebody would sign in with. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a group of keys";
  const text = (typeof value === "string" ? JSON.stringify(value.replace(/\/\/[^/?#\s]*@/, "//…@")) : String(value)).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function valueAt(data: unknown, path: Complaint["path"]): unknown {
  return path.reduce<unknown>((value, step) => (typeof value === "object" && value !== null && Object.hasOwn(value, step) ? (value as Record<PropertyKey, unknown>)[step] : undefined), data);
}

/** The schema that judges the value at a path; `null` where the data decides between variants and does not say which. */
function schemaAt(root: z.ZodType, path: Complaint["path"], data: unknown): z.ZodType | null {
  let schema: z.ZodType | null = root;
  path.forEach((step, depth) => {
    const variant = schema === null ? null : variantOf(schema, valueAt(data, path.slice(0, depth)));
    if (variant instanceof z.ZodObject) schema = (variant.shape[String(step)] as z.ZodType | undefined) ?? null;
    else if (variant instanceof z.ZodArray) schema = variant.element as z.ZodType;
    else schema = null;
  });
  return schema;
}

/** Without wrappers, and of several variants the one that the data names. */
function variantOf(schema: z.ZodType, value: unknown): z.ZodType | null {
  const inner = layersOf(schema).at(-1) ?? schema;
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return inner;
  const { discriminator } = inner.def;
  const chosen = valueAt(value, [discriminator]);
  return (inner.options.find((option) => option instanceof z.ZodObject && (option.shape[discriminator] as z.ZodType).safeParse(chosen).success) as z.ZodType | undefined) ?? null;
}

function keysOf(schema: z.ZodType | null, value: unknown): readonly string[] {
  const variant = schema === null ? null : variantOf(schema, value);
  return variant instanceof z.ZodObject ? Object.keys(variant.shape) : [];
}

/** What the field is for and how it looks, as its schema says: the best advice to whoever left it out or got it wrong. */
function meaningOf(schema: z.ZodType | null): string {
  const metas = layersOf(schema).map((layer) => layer.meta() ?? {});
  const description = metas.find((meta) => meta.description !== undefined)?.description?.replace(/\.$/, "");
  const examples = metas.find((meta) => Array.isArray(meta["examples"]))?.["examples"];
  const example = Array.isArray(examples) ? `for example ${String(examples[0])}` : undefined;
  if (description === undefined) return example === undefined ? "" : `, ${example}`;
  return `: ${description}${example === undefined ? "" : ` (${example})`}`;
}

/** A schema with its wrappers, from the outside in. */
function layersOf(schema: z.ZodType | null): z.ZodType[] {
  if (schema === null) return [];
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? [schema, ...layersOf(schema.unwrap() as z.ZodType)] : [schema];
}
