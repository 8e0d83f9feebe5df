/** Builds the function app as it is deployed, one ES module and its lazily loaded chunks in dist/functions, and the command in dist/cli. */
import { rm } from "node:fs/promises";
import { build } from "esbuild";

await Promise.all(["dist/functions", "dist/cli"].map((folder) => rm(folder, { recursive: true, force: true })));

await build({
  entryPoints: ["functions/index.ts"],
  outdir: "dist/functions",
  bundle: true,
  // The Kubernetes client weighs more than all the rest: it stays out of the cold start, in a chunk of its own.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minify: true,
  keepNames: true,
  sourcemap: true,
  legalComments: "none",
  // The host's own module, served by the worker.
  external: ["@azure/functions-core"],
  // Bundled CommonJS calls require for Node's own modules, which an ES module does not have.
  banner: { js: 'import { createRequire as createRequireOf } from "node:module"; const require = createRequireOf(import.meta.url);' },
});

await build({
  entryPoints: { lifeboat: "cli/index.ts" },
  outdir: "dist/cli",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  legalComments: "none",
  // The packages themselves are installed beside it.
  packages: "external",
});
