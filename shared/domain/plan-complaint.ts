/** Turns what zod found wrong with a plan into sentences for its author: the problem, and what to do about it. */
import { z } from "zod";
import { nearest } from "./spelling.ts";

export interface Complaint {
  readonly path: z.core.$ZodIssue["path"];
  /** What of the path is at fault: the key itself, or the value behind it. */
  readonly at: "key" | "value";
  readonly problem: string;
  readonly remedy: string;
}

/** All complaints about `data`, in the order zod found them. */
export function complaintsOf(error: z.ZodError, schema: z.ZodType, data: unknown): Complaint[] {
  return error.issues.flatMap((issue) => complaints(issue, schema, data));
}

function complaints(issue: z.core.$ZodIssue, root: z.ZodType, data: unknown): Complaint[] {
  const { path } = issue;
  const field = path.length === 0 ? "the plan" : `\`${String(path.findLast((step) => typeof step === "string") ?? path[0])}\``;
  const found = valueAt(data, path);
  const say = (problem: string, remedy: string): Complaint[] => [{ path, at: "value", problem, remedy }];
  const about = aboutOf(schemaAt(root, path, data));

  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, keysOf(schemaAt(root, path, data), found)));
  if (issue.code === "custom") return say(path.length === 0 || issue.message.startsWith("`") ? issue.message : `${field} ${issue.message}`, remedyOf(issue) ?? about);
  if (found === undefined) return say(`${field} is missing`, optionsOf(issue) ?? about);
  if (found === null) return say(`${field} has no value`, optionsOf(issue) ?? about);

  switch (issue.code) {
    case "invalid_type":
      return say(`${field} must be ${kinds[issue.expected] ?? issue.expected}, not ${shown(found)}`, about);
    case "invalid_union":
    case "invalid_value":
      return say(`${field} cannot be ${shown(found)}`, optionsOf(issue, found) ?? about);
    case "too_small":
      return say(`${field} ${sized(issue.origin, "at least", issue.minimum)}`, about);
    case "too_big":
      return say(`${field} ${sized(issue.origin, "at most", issue.maximum)}`, about);
    case "invalid_format":
      return say(`${field} ${issue.message}; it is ${shown(found)}`, about);
    default:
      return say(`${field} is wrong: ${issue.message}`, about);
  }
}

function unknownKey(path: Complaint["path"], key: string, known: readonly string[]): Complaint {
  const meant = nearest(key, known);
  const remedy = meant === null ? `remove it; known here: ${known.join(", ")}` : `did you mean \`${meant}\`?`;
  return { path: [...path, key], at: "key", problem: `\`${key.slice(0, 60)}\` is not a key of ${path.length === 0 ? "a plan" : `\`${String(path.findLast((step) => typeof step === "string"))}\``}`, remedy };
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list (lines that begin with `- `)",
  object: "a group of keys",
};

function sized(origin: string, bound: "at least" | "at most", size: number | bigint): string {
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

/** A value as it may stand in a message: on one line, and short. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a group of keys";
  const text = (typeof value === "string" ? JSON.stringify(value) : String(value)).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
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

/** Takes off defaults, and chooses among variants by the key that tells them apart. */
function variantOf(schema: z.ZodType, value: unknown): z.ZodType | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return variantOf(schema.unwrap() as z.ZodType, value);
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator } = schema.def;
  const chosen = valueAt(value, [discriminator]);
  return (schema.options.find((option) => option instanceof z.ZodObject && (option.shape[discriminator] as z.ZodType).safeParse(chosen).success) as z.ZodType | undefined) ?? null;
}

function keysOf(schema: z.ZodType | null, value: unknown): readonly string[] {
  const variant = schema === null ? null : variantOf(schema, value);
  return variant instanceof z.ZodObject ? Object.keys(variant.shape) : [];
}

/** What the field is for, as its schema describes it: the best advice to whoever left it out or got it wrong. */
function aboutOf(schema: z.ZodType | null): string {
  let about: string | undefined;
  for (let inner = schema; inner !== null && about === undefined; inner = inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault ? (inner.unwrap() as z.ZodType) : null)
    about = inner.description;
  return about === undefined ? "see docs/plans/plan.schema.json for what may stand here" : `it holds: ${about}`;
}
