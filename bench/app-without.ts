/** The function app with one step taken out: built anew, its own code untouched, with the step's usual answer in place of its work. */
import { cp, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { appBundle } from "../app-bundle.ts";
import type { StepTakenOut } from "./usual-answers.ts";

const root = appBundle.absWorkingDir;
const table = path.join(root, "functions/activities/index.ts");
const answers = path.join(root, "bench/usual-answers.ts");

/** Builds into `directory`, which then holds all that a host loads. */
export async function buildAppWithout(step: StepTakenOut, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all(["package.json", "host.json"].map((file) => cp(path.join(root, file), path.join(directory, file))));
  await build({ ...appBundle, outdir: path.join(directory, "dist/functions"), sourcemap: false, minify: false, plugins: [takeOut(step)], logLevel: "error" });
}

/** Changes the one line of the activity table that joins the step to its work. */
function takeOut(step: StepTakenOut): Plugin {
  return {
    name: "take-out",
    setup(bundle) {
      bundle.onLoad({ filter: /activities[\\/]index\.ts$/ }, async ({ path: file }) => {
        if (file !== table) return undefined;
        const text = await readFile(file, "utf8");
        const line = new RegExp(`^  ${step},$`, "m");
        if (!line.test(text)) throw new Error(`the activity table has no line for ${step}`);
        const extra = `import { usualAnswers } from ${JSON.stringify(answers)};\n`;
        return { contents: extra + text.replace(line, `  ${step}: usualAnswers.${step},`), loader: "ts", resolveDir: path.dirname(file) };
      });
    },
  };
}
