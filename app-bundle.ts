import type { BuildOptions } from "esbuild";

/** How the function app is bundled as it is deployed: one ES module, and chunks that are loaded when they are needed. Whoever builds says where to. */
export const appBundle = {
  absWorkingDir: import.meta.dirname,
  entryPoints: ["functions/index.ts"],
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
} satisfies BuildOptions;

/** The lease agent: the same way, as a program of its own that needs nothing beside it. */
export const agentBundle = {
  ...appBundle,
  entryPoints: ["agent/index.ts"],
  external: [],
} satisfies BuildOptions;
