/**
 * Reads plan files. An author sees every problem in one go, each at its line and column, with what to do about it; a plan that is
 * wrong never stands in the way of the others.
 */
import { type Document, isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLError } from "yaml";
import { canonicalJson } from "./canonical-json.ts";
import { type Plan, planSchema } from "./plan.ts";
import { type Complaint, complaintsOf } from "./plan-complaint.ts";

/** One thing to put right. Lines and columns count from 1; `path` is the field, `confirmation.signals[2].kind`, empty for the file itself. */
export interface PlanProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly problem: string;
  readonly remedy: string;
}

/** `hash` is the digest of the plan with every default filled in: comments, order and spelling of the file do not change it. */
export interface ReadPlan {
  readonly kind: "plan";
  readonly plan: Plan;
  readonly hash: string;
}

export interface UnreadablePlan {
  readonly kind: "unreadable";
  readonly problems: readonly PlanProblem[];
}

/** Hex SHA-256 of a text. Given from outside, because this floor has no cryptography of its own. */
export type Digest = (text: string) => string;

const fileBytesMax = 256 * 1024;
/** More than anybody puts right in one go. */
const problemsMax = 100;

/** Reads one file. Never throws, whatever the text is. */
export function readPlan(text: string, digest: Digest): ReadPlan | UnreadablePlan {
  if (new TextEncoder().encode(text).length > fileBytesMax)
    return refused({ line: 1, column: 1, path: "", problem: "the file is larger than 256 KiB", remedy: "a plan is a few kilobytes: check that this is the right file" });

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: "error" });
  const syntax = [...document.errors, ...document.warnings].map((error) => syntaxProblem(error, lines));
  const shape = [...aliases(document, lines), ...repeatedKeys(document, lines)];
  if (document.contents === null && syntax.length === 0)
    return refused({ line: 1, column: 1, path: "", problem: "the file is empty", remedy: "start from one of the examples in docs/plans" });
  const data = plainData(document);
  const read = planSchema.safeParse(data);
  const complaints = read.success || data === undefined ? [] : complaintsOf(read.error, planSchema, data).map((complaint) => ({ ...complaint, ...placed(complaint, document, lines) }));
  // From a broken line on, nobody knows what the author meant; and what seems to be missing may stand there.
  const brokenAt = Math.min(...syntax.map(({ line }) => line));
  const sure = complaints.filter(({ alone, line }) => syntax.length === 0 || (alone && line < brokenAt));
  const problems = [...syntax, ...shape, ...sure.map(({ line, column, path, problem, remedy }) => ({ line, column, path, problem, remedy }))];
  if (!read.success || problems.length > 0) return refused(...problems);
  return { kind: "plan", plan: read.data, hash: digest(canonicalJson(read.data)) };
}

export interface PlanFileText {
  /** What people call the file: its path or blob name. */
  readonly file: string;
  readonly text: string;
}

export interface ReadPlans {
  readonly plans: readonly (ReadPlan & { readonly file: string })[];
  readonly unreadable: readonly (UnreadablePlan & { readonly file: string })[];
}

/** Reads several files, each on its own. Of two that give the same plan the first counts. */
export function readPlans(files: readonly PlanFileText[], digest: Digest): ReadPlans {
  const plans: (ReadPlan & { file: string })[] = [];
  const unreadable: (UnreadablePlan & { file: string })[] = [];
  for (const { file, text } of files) {
    const read = readPlan(text, digest);
    const namesake = read.kind === "plan" ? plans.find(({ plan }) => plan.plan === read.plan.plan) : undefined;
    if (read.kind === "unreadable") unreadable.push({ file, ...read });
    else if (namesake === undefined) plans.push({ file, ...read });
    else unreadable.push({ file, ...refused({ line: 1, column: 1, path: "plan", problem: `plan \`${read.plan.plan}\` is given in ${namesake.file} already`, remedy: "give this plan a name of its own, or remove one of the files" }) });
  }
  return { plans, unreadable };
}

/** As a compiler would say it: `shop.yaml:12:5: problem — remedy`. */
export function problemLine(file: string, { line, column, problem, remedy }: PlanProblem): string {
  return `${file}:${line}:${column}: ${problem} — ${remedy}`;
}

function refused(...problems: readonly PlanProblem[]): UnreadablePlan {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const more = sorted.length - problemsMax;
  const last = sorted[problemsMax - 1];
  if (more <= 0 || !last) return { kind: "unreadable", problems: sorted };
  const rest: PlanProblem = { line: last.line, column: last.column, path: "", problem: `${more} more problems follow`, remedy: "put these right first" };
  return { kind: "unreadable", problems: [...sorted.slice(0, problemsMax), rest] };
}

const syntaxRemedies: Partial<Record<YAMLError["code"], string>> = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "indent this line like its neighbours, or close the bracket above it",
  MISSING_CHAR: "add the missing character: a `:` after a key, a closing quote or bracket",
  BLOCK_AS_IMPLICIT_KEY: "put the value in quotes if it holds a `:`, or begin a new line for the nested key",
  MULTILINE_IMPLICIT_KEY: "keep the key on one line and check the indentation of the next",
  MULTIPLE_DOCS: "keep one plan in a file, without a second `---`",
  TAG_RESOLVE_FAILED: "remove the tag (`!…`): a plan holds plain text, numbers, true and false",
  BAD_SCALAR_START: "put the value in quotes",
  RESOURCE_EXHAUSTION: "flatten it: a plan is at most a handful of levels deep",
};

function syntaxProblem(error: YAMLError, lines: LineCounter): PlanProblem {
  const problem = error.code === "MULTIPLE_DOCS" ? "the file holds more than one document" : `this is not YAML: ${error.message}`;
  return { ...position(error.pos[0], lines), path: "", problem, remedy: syntaxRemedies[error.code] ?? "correct the line; an editor with YAML support shows where it breaks" };
}

/** The document as plain data; `undefined` where its aliases lead nowhere or multiply beyond measure. */
function plainData(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return undefined; // every alias is reported by itself
  }
}

/** Aliases are refused: a plan is read under stress, so every value stands where it acts. That they can be blown up is a second reason. */
function aliases(document: Document, lines: LineCounter): PlanProblem[] {
  const found: PlanProblem[] = [];
  visit(document, {
    Alias: (_, { source, range }) =>
      void found.push({ ...position(range?.[0] ?? 0, lines), path: "", problem: `\`*${source}\` stands for a value from elsewhere`, remedy: "write the value out here: a plan is read under stress" }),
  });
  return found;
}

function repeatedKeys(document: Document, lines: LineCounter): PlanProblem[] {
  const found: PlanProblem[] = [];
  visit(document, {
    Map: (_, { items }) => {
      const firstAt = new Map<string, number>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const at = position(key.range?.[0] ?? 0, lines);
        const first = firstAt.get(name);
        if (first === undefined) firstAt.set(name, at.line);
        else found.push({ ...at, path: name, problem: `\`${name}\` is given twice, first on line ${first}`, remedy: "keep one of them" });
      }
    },
  });
  return found;
}

function placed({ path, at }: Complaint, document: Document, lines: LineCounter): Pick<PlanProblem, "line" | "column" | "path"> {
  return { ...position(offsetOf(document.contents, path, at), lines), path: pathText(path) };
}

/** Where a path stands in the text: its key or its value, or, where it is missing, the key of the nearest parent that is there. */
function offsetOf(root: unknown, path: Complaint["path"], at: Complaint["at"]): number {
  let node = root as Node | null;
  let offset = 0;
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return offset;
      const [key, value] = [pair.key as Node, pair.value as Node | null];
      offset = start(key);
      if (last && at === "value" && isScalar(value) && value.value !== null) offset = start(value);
      node = value;
    } else {
      const item = (node as { items?: (Node | null)[] } | null)?.items?.[Number(step)];
      if (!item || isAlias(item)) return offset;
      offset = start(item);
      node = item;
    }
  }
  return offset;
}

const start = (node: Node) => node.range?.[0] ?? 0;

function position(offset: number, lines: LineCounter): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function pathText(path: Complaint["path"]): string {
  return path.map((step, depth) => (typeof step === "number" ? `[${step}]` : `${depth === 0 ? "" : "."}${String(step)}`)).join("");
}
