import { describe, expect, test } from "vitest";
import { chooseRestorePoint, weighRestorePoints } from "../../functions/activities/choose.ts";
import { readPoint } from "../../functions/activities/chosen-point.ts";
import { readRegister } from "../../functions/activities/register.ts";
import { steps } from "../../orchestrations/steps.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { recordedContainer } from "../restore-points/store.ts";
import { openedRun } from "./run.ts";

const newest = "shop-hourly-20261121055825";
const older = "shop-hourly-20261121055818";

/** A run whose replica holds what a real Velero wrote, under the shop's plan on shared storage. */
async function beside(topology: "shop-shared" | "shop-replicated" = "shop-shared") {
  const run = await openedRun({ phase: "choose", plan: examplePlan(topology) });
  const { backups } = targetOf(run.plan, "failover");
  for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) run.put(backups, name, bytes, lastModifiedAt);
  const remove = (name: string) => run.state.blobs.delete(`${backups.url}/${backups.container}/${name}`);
  return { ...run, remove };
}

describe("choosing", () => {
  test("takes the newest whole point, and keeps at home what the run needs of it", async () => {
    const run = await beside();
    const choice = await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {});
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest, takenAt: Date.parse("2026-11-21T05:58:25Z"), lossSeconds: 395 }, passedOver: [] });
    const kept = await readPoint(run.home, run.ref, newest);
    expect(kept.contents.namespaces["shop"]?.kinds["apps/v1/Deployment"]).toBe(2);
    expect(kept.volumes).toEqual([expect.objectContaining({ claim: "data-orders-0", snapshot: "6ea1de86c211f5058010060bb1db3690", restorable: true })]);
    expect(kept.spec).toMatchObject({ includedNamespaces: ["shop"] });
    expect((await readRegister(run.home, "shop")).points[newest]).toBeDefined();
    expect(run.effects).toEqual([]);
  });

  test("takes the next older one when the newest lost a blob, with the reason", async () => {
    const run = await beside();
    run.remove(`backups/${newest}/${newest}.tar.gz`);
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {})).toMatchObject({ kind: "chosen", point: { name: older }, passedOver: [{ name: newest, reason: expect.any(String) }] });
  });

  test("takes nothing from a store that holds nothing of the plan", async () => {
    const run = await beside();
    run.state.blobs.clear();
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {})).toEqual({ kind: "nothing-restorable", passedOver: [] });
    expect(await run.answer(steps.weighRestorePoints, weighRestorePoints, {})).toEqual({ kind: "nothing-restorable", passedOver: [] });
  });

  test("twice is once: the point that was taken stays taken, whatever arrives meanwhile", async () => {
    const run = await beside();
    run.remove(`backups/${newest}/${newest}.tar.gz`);
    const first = await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {});
    for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) run.put(targetOf(run.plan, "failover").backups, name, bytes, lastModifiedAt);
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {})).toEqual(first);
  });
});

test("the decision card says what would be restored now, what it loses, how long it takes, and holds it against the objectives", async () => {
  const run = await beside();
  run.time.now += 60_000;
  const weighed = await run.answer(steps.weighRestorePoints, weighRestorePoints, {});
  expect(weighed).toMatchObject({ kind: "weighed", card: { restorePoint: newest, lossSeconds: 455, withinRpo: true, withinRto: true, items: 74 }, text: expect.stringContaining(`Restore ${newest}`) });
  // A minute has passed since the run was opened, and is part of it; 74 items and 2.5 MB take two seconds more.
  expect(weighed.kind === "weighed" && weighed.card.predictedRtoSeconds).toBe(60 + 90 + 2);
});
