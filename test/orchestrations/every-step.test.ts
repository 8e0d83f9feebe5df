import { describe, expect, test } from "vitest";
import { steps } from "../../orchestrations/steps.ts";
import { outcomeKinds } from "../../shared/domain/outcome.ts";
import { planSchema } from "../../shared/domain/plan.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { allGoesWell, fails, stage } from "./stage.ts";

const { play } = stage();

const example = examplePlan("shop-replicated");
const withAgent = planSchema.parse({ ...example, fence: { ...example.fence, enough: ["fenced", "self-fenced"], agent: {} } });

describe("whatever step fails, the run ends in the closed set, with a report, and lets go of its plan:", () => {
  /** Without a phase, a report or a closed run nothing can be said to have ended; the steps of other runbooks are not a failover's. */
  const others = ["turnPhase", "report", "closeRun", "putQuestion", "confirmGone", "checkAllBackups", "checkBackup", "holdAgainstSecondary", "guardRetention", "learnClusters"];
  const ofAFailover = (Object.keys(steps) as (keyof typeof steps)[]).filter((key) => !others.includes(key));

  test.each(ofAFailover)("%s always says try again", async (key) => {
    // Standing down has steps of its own, and it takes a run that fails to reach them.
    const standing = ["wakePrimary", "reopenPrimary", "readPoints", "releaseAgent", "agentOpened"].includes(key);
    const { ended, head, problems } = await play({ ...(standing ? { chooseRestorePoint: fails("no") } : {}), [key]: fails("no") }, /agent/i.test(key) ? { plan: withAgent } : {});
    const { outcome, report } = await ended();
    expect(outcomeKinds).toContain(outcome.kind);
    // Whether the primary is closed is then a person's question, and nobody answers it here.
    expect(["halted", "not-failed-over", "target-not-ready", "recovered", ...(key === "agentClosed" ? ["declined"] : [])]).toContain(outcome.kind);
    expect(report?.outcome).toBe(outcome.kind);
    expect((await head()).run).toBeNull();
    expect(problems).toEqual([]);
  });

  test.each(["chooseRestorePoint", "targetWarm", "quietPrimary", "storeTakesWrites", "startRestore"] as const)("the host cannot run %s", async (key) => {
    const { ended, head } = await play({}, { hostFails: new Set([steps[key].name]) });
    const { outcome, report } = await ended();
    expect(report?.outcome).toBe(outcome.kind);
    expect((await head()).run).toBeNull();
  });

  test("what ends a run is tried for minutes: our own account may be away for a while", async () => {
    let tries = 0;
    const { ended, head } = await play({
      async report(input, duty) {
        if (++tries < 20) throw new Error("no answer from the home account");
        return allGoesWell.report(input, duty);
      },
    });
    const { outcome, report } = await ended();
    expect(outcome.kind).toBe("recovered");
    expect(report).not.toBeNull();
    expect((await head()).run).toBeNull();
  });
});

