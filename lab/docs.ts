/** Writes the files that are made from the lab's code: part of `npm run docs`. */
import { writeFileSync } from "node:fs";
import { labFiles } from "./generated-files.ts";

for (const [path, text] of Object.entries(labFiles)) writeFileSync(new URL(`../${path}`, import.meta.url), text());
