/**
 * `step-out`: takes each step of a failover out of the app, one at a time, and requires that a lab run notices. A step that can be taken
 * out unnoticed is either superfluous or held to nothing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { steps } from "../orchestrations/steps.ts";
import { quickRun } from "../lab/run/quick.ts";
import { runLab } from "../lab/run/run-lab.ts";
import { scenarioNamed } from "../lab/run/scenarios.ts";
import { buildAppWithout } from "./app-without.ts";
import { type StepTakenOut, usualAnswers } from "./usual-answers.ts";

export interface TakenOut {
  readonly step: string;
  /** What the run complained of; empty: nobody noticed. */
  readonly noticed: readonly string[];
}

export async function stepOut(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const wanted = options.get("steps")?.split(",");
  const all = (Object.keys(usualAnswers) as StepTakenOut[]).filter((key) => wanted === undefined || wanted.includes(steps[key].name));
  const found: TakenOut[] = [];
  for (const key of all) {
    const one = await takenOut(key);
    found.push(one);
    process.stderr.write(`${one.step.padEnd(24)} ${one.noticed[0] ?? "NOBODY NOTICED"}\n`);
  }
  const unnoticed = found.filter(({ noticed }) => noticed.length === 0).map(({ step }) => step);
  return { ok: unnoticed.length === 0, steps: found.length, noticed: found.length - unnoticed.length, unnoticed };
}

const cutOff = { scenario: scenarioNamed("region-cut-off"), rate: 20 } as const;
/** Only a run with a lease agent takes these: one whose lease outlasts everything else, and one that reaches home and waits to be asked. */
const withAgent: { readonly [K in StepTakenOut]?: Partial<Parameters<typeof runLab>[0]> } = {
  agentClosed: { ...cutOff, changePlan: (plan) => quickRun.changePlan(plan).replace(/leaseSeconds: \d+/, "leaseSeconds: 1200") },
  askAgent: { ...cutOff, agent: { reachesHome: true } },
};

/** One run of a lost region by an app without that step. */
export async function takenOut(key: StepTakenOut, run: Partial<Parameters<typeof runLab>[0]> = {}): Promise<TakenOut> {
  const directory = await mkdtemp(path.join(tmpdir(), "lifeboat-without-"));
  try {
    await buildAppWithout(key, directory);
    const { failures } = await runLab({ ...quickRun, topology: "replicated", ...withAgent[key], ...run, appDirectory: directory });
    return { step: steps[key].name, noticed: failures };
  } catch (error) {
    // A run that does not come to its end is noticed too.
    return { step: steps[key].name, noticed: [error instanceof Error ? error.message : String(error)] };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
