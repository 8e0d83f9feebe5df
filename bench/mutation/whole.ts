/** The one test file of `npm run bench -- mutation`: runs the groups and writes what came of them where `MUTATION_RESULT` says. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { guarded, rules } from "./guarded.ts";
import { mutationRun } from "./run.ts";

test.each([guarded, rules])("$name", { timeout: 3_600_000 }, async ({ name, files, tests, least }) => {
  const result = await mutationRun(files, tests, expect);
  const score = result.killed / (result.killed + result.survived.length);
  writeFileSync(`${process.env["MUTATION_RESULT"] ?? ""}.${name}.json`, JSON.stringify({ name, least, score, ...result }));
  expect(result.killed).toBeGreaterThan(0);
});
