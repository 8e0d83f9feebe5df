/** `mutation`: makes one small change of the domain's rules at a time and lets the tests of those rules look for it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startVitest } from "vitest/node";
import { guarded, rules } from "./mutation/guarded.ts";
import type { MutationResult } from "./mutation/run.ts";

type Scored = MutationResult & { readonly name: string; readonly least: number; readonly score: number };

export async function mutation(): Promise<Readonly<Record<string, unknown>>> {
  const directory = await mkdtemp(path.join(tmpdir(), "lifeboat-mutation-"));
  try {
    process.env["MUTATION_RESULT"] = path.join(directory, "result");
    const vitest = await startVitest("test", [], { config: false, include: ["bench/mutation/whole.ts"], watch: false, reporters: [] });
    await vitest.close();
    const groups = await Promise.all([guarded, rules].map(async ({ name }) => JSON.parse(await readFile(path.join(directory, `result.${name}.json`), "utf8")) as Scored));
    for (const { name, score, survived } of groups) process.stderr.write(`${name.padEnd(10)} ${(score * 100).toFixed(1)} %\n${survived.map(({ file, line, was, is }) => `  ${file}:${line}: ${was} → ${is}\n`).join("")}`);
    return { ok: groups.every(({ score, least }) => score >= least), groups: groups.map(({ survived, ...group }) => ({ ...group, score: Math.round(group.score * 1_000) / 1_000, survived: survived.length })) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
