/** Writes the files that are made from code: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { generatedFiles } from "./generated-files.ts";

for (const [path, text] of Object.entries(generatedFiles)) writeFileSync(new URL(`../${path}`, import.meta.url), text());
