import { blanked, type Source } from "./source.ts";

const linesMax = 400;
const onTop = /^(?:lab|bench|test)\//;

/** Files that may be longer than the rest, each with its reason. There are none. */
export const mayBeLong: readonly string[] = [];

/** What a single file must not be or hold, each offence as a sentence. */
export function fileProblems(source: Source): string[] {
  const { path, text } = source;
  const code = blanked(text, { strings: true });
  const lines = text.split("\n").length - 1;
  return [
    ...(lines > linesMax && !mayBeLong.includes(path) ? [`${path} has ${lines} lines, more than ${linesMax}: look for the second thing hiding in it`] : []),
    ...(onTop.test(path) || /^(?:functions|cli|agent)\/index\.ts$/.test(path) ? [] : hits(path, code, /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\benv\b[^{}]*\}\s*=\s*process\b/g, "settings are read in the entries (functions/index.ts through shared/config.ts), nowhere else")),
    ...(path.startsWith("orchestrations/") ? runbookProblems(path, code) : []),
    ...(path.startsWith("shared/domain/") ? domainProblems(path, code) : []),
  ];
}

/** What lint cannot tell of the code that is replayed. */
function runbookProblems(path: string, code: string): string[] {
  return [
    ...hits(path, code, /\bnew\s+Date\s*(?:\(\s*\)|(?![\s(]))|(?<![\w.]|new\s)Date\s*\(/g, "runbooks are replayed: take the time from the desk's `now()`"),
    ...hits(path, code, /\basync\b(?=\s*(?:function\b|\(|\*|[\w$]+\s*(?:=>|\()))|\bawait\b/g, "runbooks yield; they never await"),
  ];
}

/** The domain has no clock and no chance; both are given to it. */
function domainProblems(path: string, code: string): string[] {
  return hits(path, code, /\bDate\.now\b|\bnew\s+Date\s*\(\s*\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bfetch\s*\(|\bcrypto\.|\bconsole\./g, "the domain is pure: instants, chance and the world come in as arguments");
}

function hits(path: string, code: string, pattern: RegExp, instead: string): string[] {
  return [...code.matchAll(pattern)].map((hit) => `${path}:${code.slice(0, hit.index).split("\n").length}: ${instead}`);
}
