/** How many planted defects are found, and how often what is whole is called spoilt: the catalogue of the tests, run as it is there. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const files = ["defects", "defects-on-the-way", "bounds-of-storage", "recorded-backups", "properties"].map((name) => `test/restore-points/${name}.test.ts`);
const minutesMax = 10;

interface Test {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

export interface Detection {
  readonly ok: boolean;
  readonly defects: number;
  readonly missed: readonly string[];
  /** Of all that leaves whole backups whole. */
  readonly untouched: number;
  readonly falseAlarms: readonly string[];
}

/** A defect that is found and lays the blame on another point too counts as missed. */
export async function detection(): Promise<Detection> {
  const folder = await mkdtemp(path.join(tmpdir(), "lifeboat-detection-"));
  try {
    const file = path.join(folder, "results.json");
    const root = path.resolve(import.meta.dirname, "..");
    const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
    // It ends with 1 where a test failed: what failed is in its results.
    await promisify(execFile)(process.execPath, [vitest, "run", ...files, "--reporter=json", `--outputFile=${file}`], { cwd: root, timeout: minutesMax * 60_000, maxBuffer: 64 * 1024 * 1024 }).catch(() => undefined);
    const { testResults } = JSON.parse(await readFile(file, "utf8")) as { readonly testResults: readonly { readonly assertionResults: readonly Test[] }[] };
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const planted = tests.filter(({ ancestorTitles, title }) => ancestorTitles.includes("planted into the recorded backups") && title.includes(": found and named"));
    const untouched = tests.filter((test) => !planted.includes(test));
    const failed = (of: readonly Test[]) => of.filter(({ status }) => status !== "passed").map(({ title }) => title);
    const [missed, falseAlarms] = [failed(planted), failed(untouched)];
    return { ok: planted.length >= 60 && missed.length + falseAlarms.length === 0, defects: planted.length, missed, untouched: untouched.length, falseAlarms };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
