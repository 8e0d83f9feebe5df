/** Builds the function app as it is deployed: one ES module and its lazily loaded chunks in dist/functions. */
import { rm } from "node:fs/promises";
import { build } from "esbuild";

await rm("dist/functions", { recursive: true, force: true });
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
