/**
 * Loads the simulator with the app in it: one bundle of the app's own sources, in which Node's timers, clock, chance and threads are those
 * of the simulated run. A planted bug is a text put in another's place while it is bundled; the sources themselves stay as they are.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { compileFunction } from "node:vm";
import { build, type Plugin } from "esbuild";
import type * as inside from "./inside.ts";

export type Simulator = typeof inside;

/** A text of one source file, and what takes its place. */
export interface Patch {
  /** From the root of the project: `functions/activities/open-secondary.ts`. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const here = import.meta.dirname;
const root = path.join(here, "../..");
const shim = (name: string): string => path.join(here, "shims", `${name}.ts`);
const shims: Readonly<Record<string, string>> = {
  "durable-functions": shim("functions"),
  "@azure/functions": shim("functions"),
  "node:timers/promises": shim("timers-promises"),
  "node:zlib": shim("zlib"),
  "node:crypto": shim("crypto"),
};
/** The app's own files that are replaced, each by the shim of its name. */
const own: Readonly<Record<string, string>> = { "functions/people.ts": shim("people"), "shared/domain/plan-file.ts": shim("plan-file") };

const replaced: Plugin = {
  name: "replaced",
  setup(bundle) {
    bundle.onResolve({ filter: /^(durable-functions|@azure\/functions|node:timers\/promises|node:zlib|node:crypto)$/ }, ({ path: wanted, importer }) => (importer.startsWith(path.join(here, "shims")) ? undefined : { path: shims[wanted] ?? wanted }));
    // The library replays by instants that it is given: it needs no clock of a run.
    bundle.onResolve({ filter: /^durable-functions\/lib\// }, ({ path: wanted }) => ({ path: wanted, external: true }));
    bundle.onResolve({ filter: /\/(people|plan-file)\.ts$/ }, ({ path: wanted, resolveDir, importer }) => {
      const instead = importer.startsWith(path.join(here, "shims")) ? undefined : own[path.relative(root, path.join(resolveDir, wanted))];
      return instead === undefined ? undefined : { path: instead };
    });
  },
};

const patched = (patches: readonly Patch[]): Plugin => ({
  name: "patched",
  setup(bundle) {
    bundle.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const mine = patches.filter((patch) => path.join(root, patch.file) === file);
      if (mine.length === 0) return undefined;
      const text = await readFile(file, "utf8");
      return { contents: mine.reduce((contents, { find, put }) => contents.replace(find, () => put), text), loader: "ts" };
    });
  },
});

/** Bundles and loads. Throws when a patch does not fit any more. */
export async function loadSimulator(patches: readonly Patch[] = []): Promise<Simulator> {
  for (const { file, find } of patches) {
    const text = await readFile(path.join(root, file), "utf8");
    if (text.split(find).length !== 2) throw new Error(`${file} does not hold this text exactly once: ${find}`);
  }
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path.join(here, "inside.ts")],
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    inject: [shim("globals")],
    plugins: [replaced, patched(patches)],
    logLevel: "silent",
  });
  const module: { exports: unknown } = { exports: {} };
  const run = compileFunction(outputFiles[0]?.text ?? "", ["require", "module", "exports"], { filename: path.join(here, "simulator.bundle.cjs") }) as (require: NodeJS.Require, module: object, exports: unknown) => void;
  run(createRequire(import.meta.url), module, module.exports);
  return module.exports as Simulator;
}
