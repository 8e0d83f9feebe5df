import { expect, test } from "vitest";
import { report } from "../../functions/activities/report.ts";
import { steps } from "../../orchestrations/steps.ts";
import type { Outcome } from "../../shared/domain/outcome.ts";
import { openedRun } from "./run.ts";

const outcome: Outcome = { kind: "not-failed-over", why: "a blip" };

test("a report that is written again, minutes later, is the same report: it ended when it was first begun to be written", async () => {
  const run = await openedRun({ phase: "report" });
  const beganAt = run.time.now;
  const written: string[] = [];
  const put = async (_name: string, body: string): Promise<void> => {
    written.push(body);
    if (written.length === 3) throw new Error("no answer from home");
  };
  const world = { ...run.world, home: { ...run.home, put } };
  expect(await run.take(steps.report, report, { outcome }, { world })).toMatchObject({ kind: "again" });
  run.time.now += 300_000;
  expect(await run.take(steps.report, report, { outcome }, { world })).toMatchObject({ kind: "answer" });
  expect(written).toHaveLength(6);
  expect(written.slice(3)).toEqual(written.slice(0, 3));
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ outcome: "not-failed-over", endedAt: new Date(beganAt).toISOString() });
});
