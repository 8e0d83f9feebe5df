/** Runs a project's own tests over each mutant, in one process: they are bundled once with all mutants asleep, and one is woken at a time. */
import { createRequire } from "node:module";
import path from "node:path";
import { Script } from "node:vm";
import { build, type Plugin } from "esbuild";
import { equivalents } from "./equivalents.ts";
import { type Instrumented, instrumented, type Mutant } from "./mutants.ts";

export interface MutationResult {
  readonly mutants: number;
  readonly killed: number;
  /** Changes that change nothing, each with its reason in `equivalents.ts`. */
  readonly equivalent: number;
  readonly survived: readonly Mutant[];
  /** By file: killed of those that could be. */
  readonly files: Readonly<Record<string, { readonly killed: number; readonly of: number }>>;
}

const root = path.join(import.meta.dirname, "../..");
/** A mutant that loops is found by its time. */
const mutantMsMax = 5_000;

/** What the suite of one bundle registered, see `suite.ts`. */
interface Suite {
  readonly tests: readonly (() => unknown)[];
  readonly before: readonly (() => unknown)[];
}

/** `expect` is vitest's own, of the process that asks. */
export async function mutationRun(files: readonly string[], tests: readonly string[], expect: unknown): Promise<MutationResult> {
  const sources = instrumented(root, files);
  const suite = await bundled(sources, tests);
  const globals = globalThis as unknown as { mutant: number; mutationExpect: unknown; mutationRequire: unknown };
  globals.mutationExpect = expect;
  globals.mutationRequire = createRequire(import.meta.url);
  globals.mutant = 0;
  const failing = await firstFailure(suite);
  if (failing !== null) throw new Error(`the tests fail without any mutant: ${failing}`);
  const survived: Mutant[] = [];
  const all = sources.flatMap(({ mutants }) => mutants);
  const skipped = all.filter(isEquivalent);
  for (const mutant of all) {
    if (isEquivalent(mutant)) continue;
    globals.mutant = mutant.id;
    if ((await firstFailure(suite)) === null) survived.push(mutant);
  }
  globals.mutant = 0;
  const byFile = sources.map(({ file, mutants }) => {
    const of = mutants.filter((mutant) => !isEquivalent(mutant)).length;
    return [file, { killed: of - survived.filter((mutant) => mutant.file === file).length, of }] as const;
  });
  return { mutants: all.length, killed: all.length - skipped.length - survived.length, equivalent: skipped.length, survived, files: Object.fromEntries(byFile) };
}

const isEquivalent = ({ file, was, is }: Mutant): boolean => equivalents.some((known) => known.file === file && known.was === was && known.is === is);

/** `null`: every test passes. The bundle is evaluated anew: what a module makes of itself when it is loaded is tested too. */
async function firstFailure(suite: Script): Promise<string | null> {
  try {
    const { tests, before } = suite.runInThisContext({ timeout: mutantMsMax }) as Suite;
    for (const step of before) await step();
    for (const test of tests) await timed(test);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const call = new Script("globalThis.mutationTest()");

async function timed(test: () => unknown): Promise<void> {
  (globalThis as unknown as { mutationTest: () => unknown }).mutationTest = test;
  await (call.runInThisContext({ timeout: mutantMsMax }) as unknown);
}

async function bundled(sources: readonly Instrumented[], tests: readonly string[]): Promise<Script> {
  const inPlace: Plugin = {
    name: "mutants",
    setup(bundle) {
      bundle.onResolve({ filter: /^vitest$/ }, () => ({ path: path.join(import.meta.dirname, "suite.ts") }));
      bundle.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
        const mine = sources.find((source) => path.join(root, source.file) === file);
        return mine === undefined ? undefined : { contents: mine.text, loader: "ts" };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: `${tests.map((test) => `import ${JSON.stringify(path.join(root, test))};`).join("\n")}\nexport { suite } from ${JSON.stringify(path.join(import.meta.dirname, "suite.ts"))};`, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "mutationSuite",
    platform: "node",
    target: "node20",
    packages: "external",
    define: { "import.meta.url": JSON.stringify(`file://${root}/test/domain/bundle.ts`) },
    plugins: [inPlace],
    logLevel: "silent",
  });
  return new Script(`(function (require) { ${outputFiles[0]?.text ?? ""}\nreturn mutationSuite.suite; })(globalThis.mutationRequire)`, { filename: "mutation-suite.js" });
}
