import { describe, expect, test } from "vitest";
import { freshHead } from "../../functions/activities/leave.ts";
import { closePrimary } from "../../functions/activities/fence-primary.ts";
import { turnPhase } from "../../functions/activities/phases.ts";
import { steps } from "../../orchestrations/steps.ts";
import { openedRun } from "./run.ts";

const halfAnHour = 1_800_000;

/** A run in its fence whose process stands still for so long, just after it has looked at the endpoints. */
async function standsStill(forMs: number, meanwhile: (run: Awaited<ReturnType<typeof openedRun>>) => Promise<unknown>) {
  const run = await openedRun({ phase: "fence" });
  await run.answer(steps.turnPhase, turnPhase, { end: null, begin: "fence" });
  let stood = false;
  const traffic: typeof run.world.traffic = {
    ...run.world.traffic,
    async read(of) {
      const state = await run.world.traffic.read(of);
      if (!stood) {
        stood = true;
        await meanwhile(run);
        run.time.now += forMs;
      }
      return state;
    },
  };
  return { run, answer: await run.take(steps.closePrimary, closePrimary, {}, { world: { ...run.world, traffic } }) };
}

describe("a process that stood still between its look and its act", () => {
  test("does nothing where the run has undone that phase since", async () => {
    const { run, answer } = await standsStill(halfAnHour, async (of) => of.answer(steps.turnPhase, turnPhase, { end: { phase: "fence", outcome: "aborted" }, begin: "stand-down" }));
    expect(answer).toMatchObject({ kind: "superseded" });
    expect(run.effects).toEqual([]);
  });

  test("does nothing where another run has taken the plan over", async () => {
    const { run, answer } = await standsStill(halfAnHour, async (of) => of.supersede());
    expect(answer).toMatchObject({ kind: "superseded" });
    expect(run.effects).toEqual([]);
  });

  test("goes on where nothing has changed", async () => {
    const { run, answer } = await standsStill(halfAnHour, () => Promise.resolve());
    expect(answer).toEqual({ kind: "answer", value: { kind: "closed", backAgain: true } });
    expect(run.effects).toEqual(["close-primary"]);
  });
});

test("a look at the ledger whose answer found nobody awake is taken again, and not for ever", async () => {
  const run = await openedRun();
  let looks = 0;
  const asleep = (times: number) => ({
    async head(plan: string) {
      const head = await run.ledger.head(plan);
      if (++looks <= times) run.time.now += halfAnHour;
      return head;
    },
  });
  expect((await freshHead(asleep(2), "shop", () => run.time.now)).run?.id).toBe("shop-1");
  expect(looks).toBe(3);
  await expect(freshHead(asleep(100), "shop", () => run.time.now)).rejects.toMatchObject({ name: "WorldError" });
});
