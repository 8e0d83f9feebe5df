import { expect, test } from "vitest";
import { takenOut } from "../../bench/step-out.ts";
import { usualAnswers } from "../../bench/usual-answers.ts";
import { steps } from "../../orchestrations/steps.ts";

/** Three of them, and `quietPrimary` in fence.test.ts; all are taken out by `npm run bench -- step-out`. */
test.each([
  ["deletePolicy", /the replica is unlocked before anything is restored/],
  ["releaseConsumers", /the consumers are released/],
  ["agentClosed", /nothing of the application runs in the primary when the first restore is made/],
] as const)("a failover without %s is not believed", { timeout: 120_000 }, async (step, complaint) => {
  const { noticed } = await takenOut(step);
  expect(noticed).toContainEqual(expect.stringMatching(complaint));
});

test("every step that a failover takes when it recovers can be taken out", () => {
  const others = ["confirmGone", "readPoints", "reopenPrimary", "wakePrimary", "releaseAgent", "agentOpened", "checkAllBackups", "learnClusters", "checkBackup", "holdAgainstSecondary", "guardRetention"];
  expect([...Object.keys(usualAnswers), ...others].toSorted()).toEqual(Object.keys(steps).toSorted());
});
