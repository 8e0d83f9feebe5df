/** Builds the function app as it is deployed, one ES module and its lazily loaded chunks in dist/functions; the lease agent so in dist/agent; and the command in dist/cli. */
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { agentBundle, appBundle } from "./app-bundle.ts";

/** Built beside the old one and then put in its place: a host that starts meanwhile finds one of the two whole. */
const made = { functions: "dist/functions.new", agent: "dist/agent.new", cli: "dist/cli.new" } as const;
try {
  for (const folder of Object.values(made)) await mkdir(folder, { recursive: true });
} catch (error) {
  process.stderr.write(`the app cannot be built: this user may not write to ${path.resolve("dist")} (${(error as NodeJS.ErrnoException).code}); clone the project to a place of your own\n`);
  process.exit(2);
}
await Promise.all(Object.values(made).map((folder) => rm(folder, { recursive: true, force: true })));

await build({ ...appBundle, outdir: made.functions });
await build({ ...agentBundle, outdir: made.agent });

await build({
  entryPoints: { lifeboat: "cli/index.ts" },
  outdir: made.cli,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  legalComments: "none",
  // The packages themselves are installed beside it.
  packages: "external",
});

for (const [name, folder] of Object.entries(made)) {
  await rm(`dist/${name}`, { recursive: true, force: true });
  await rename(folder, `dist/${name}`);
}
