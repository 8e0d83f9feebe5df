/** Before the tests of the real regions: can they run here, and are the programs built? */
import process from "node:process";
import type { TestProject } from "vitest/node";
import { goVersion } from "../../lab/real/go.ts";
import { realHurdles } from "../../lab/real/needs.ts";
import { realPrograms, type RealPrograms } from "../../lab/real/programs.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `null`: they cannot run here, and that has been said. */
    readonly realPrograms: RealPrograms | null;
  }
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** Throws where there is a Go and something else is missing: tests that could run and do not are a failure. */
export default async function setup(project: TestProject): Promise<void> {
  const hurdles = await realHurdles();
  if (hurdles.length > 0 && (await goVersion()) !== null) throw new Error(`the real regions cannot run here:\n${hurdles.join("\n")}`);
  if (hurdles.length > 0) say(`\n!!! THE REAL REGIONS WERE NOT TESTED: ${hurdles.join("; ")}\n`);
  project.provide("realPrograms", hurdles.length > 0 ? null : await realPrograms({ tell: say }));
}
