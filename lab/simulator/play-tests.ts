/** Runs the tests that the catalogue names, and says of each title whether it holds. Those that take minutes, and those on real clusters, run when asked for; else their last recorded run counts. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault, Showing } from "./fault.ts";

export type Check = Extract<Showing, { kind: "check" }>;

/** What a test said: `MISSING` where no test has this title. `full`: its title with those of its groups; `recordedAt`: the commit of a run before this one. */
export interface Said {
  readonly said: "holds" | "FAILS" | "SKIPPED" | "MISSING";
  readonly full: string;
  readonly recordedAt: string | null;
}

/** Full titles of a file's tests, each with its result as vitest calls it. */
export type FileResults = Readonly<Record<string, string>>;

interface Recorded {
  readonly commit: string;
  readonly results: FileResults;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
/** What the slow ones said last, file by file, with the commit that they ran. */
const recordFile = path.join(root, "docs/faults-recorded.json");

/** How a test file is run: with all others, as one that takes minutes, or on real clusters. Each has a configuration of vitest of its own. */
export type Pace = "usual" | "deep" | "real";
const configs: Readonly<Record<Pace, string>> = { usual: "vitest.config.ts", deep: "vitest.deep.config.ts", real: "vitest.real.config.ts" };
export const paceOf = (file: string): Pace => (file.startsWith("test/real/") ? "real" : file.endsWith(".deep.test.ts") ? "deep" : "usual");

export const checksOf = (faults: readonly Fault[]): readonly Check[] => faults.flatMap(({ transient, permanent }) => [transient, permanent].filter((showing) => showing.kind === "check"));

/** Whether a test's full title (`a group > a test`) is the one that is named: its own title, or one that ends in it; with `…` at the end, one that begins so. */
export function isNamed(full: string, title: string): boolean {
  if (!title.endsWith("…")) return full === title || full.endsWith(` > ${title}`);
  const begin = title.slice(0, -1);
  return full.startsWith(begin) || full.includes(` > ${begin}`);
}

/** What the results say of one check: all tests of that title must hold. */
export function saidOf({ title }: Pick<Check, "title">, results: FileResults | undefined): Omit<Said, "recordedAt"> {
  const named = Object.entries(results ?? {}).filter(([full]) => isNamed(full, title));
  const [first] = named;
  const full = title.endsWith("…") || first === undefined ? title : first[0];
  if (first === undefined) return { said: "MISSING", full };
  if (named.some(([, result]) => result === "failed")) return { said: "FAILS", full };
  return { said: named.every(([, result]) => result === "passed") ? "holds" : "SKIPPED", full };
}

/** Runs the files of those paces, and answers for each check. What slow ones say is recorded. */
export async function playTests(checks: readonly Check[], paces: readonly Pace[], commit: string): Promise<(check: Check) => Said> {
  const files = [...new Set(checks.map(({ file }) => file))];
  const results = new Map<string, FileResults>();
  for (const pace of paces) {
    const own = files.filter((file) => paceOf(file) === pace);
    if (own.length > 0) for (const [file, said] of await runFiles(own, pace)) results.set(file, said);
  }
  const slow = [...results].filter(([file]) => paceOf(file) !== "usual").map(([file, said]): [string, Recorded] => [file, { commit, results: said }]);
  const recorded = { ...readRecord(), ...Object.fromEntries(slow) };
  if (slow.length > 0) writeFileSync(recordFile, `${JSON.stringify(recorded, null, 1)}\n`);
  return (check) => {
    const kept = recorded[check.file];
    return kept === undefined ? { ...saidOf(check, results.get(check.file)), recordedAt: null } : { ...saidOf(check, kept.results), recordedAt: kept.commit };
  };
}

const readRecord = (): Readonly<Record<string, Recorded>> => (existsSync(recordFile) ? (JSON.parse(readFileSync(recordFile, "utf8")) as Readonly<Record<string, Recorded>>) : {});

/** All files of one configuration together take some minutes; on a busy machine more. */
const runMsMax = 20 * 60_000;

/** The report of vitest's own JSON reporter. */
interface JsonReport {
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly { readonly ancestorTitles: readonly string[]; readonly title: string; readonly status: string }[] }[];
}

async function runFiles(files: readonly string[], pace: Pace): Promise<ReadonlyMap<string, FileResults>> {
  const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-faults-"));
  const outputFile = path.join(folder, "report.json");
  try {
    const vitest = path.join(path.dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
    const child = spawn(process.execPath, [vitest, "run", "--config", configs[pace], "--reporter=json", `--outputFile=${outputFile}`, ...(pace === "usual" ? [] : ["--no-file-parallelism"]), ...files], { cwd: root, stdio: ["ignore", "ignore", "inherit"], timeout: runMsMax });
    await new Promise((resolve, reject) => void child.once("error", reject).once("exit", resolve));
    if (!existsSync(outputFile)) throw new Error(`vitest ended without a report within ${runMsMax / 60_000} minutes: run it by hand with --config ${configs[pace]}`);
    const { testResults } = JSON.parse(readFileSync(outputFile, "utf8")) as JsonReport;
    return new Map(testResults.map(({ name, assertionResults }) => [path.relative(root, name), Object.fromEntries(assertionResults.map(({ ancestorTitles, title, status }) => [[...ancestorTitles, title].join(" > "), status]))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
