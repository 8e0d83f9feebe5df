import { describe, expect, test } from "vitest";
import { checkAllBackups } from "../../functions/activities/check-backups.ts";
import { chooseRestorePoint, weighRestorePoints } from "../../functions/activities/choose.ts";
import { readPoint } from "../../functions/activities/chosen-point.ts";
import { perform } from "../../functions/activities/perform.ts";
import { readRegister } from "../../functions/activities/register.ts";
import { steps } from "../../orchestrations/steps.ts";
import { leaseName } from "../../shared/domain/lease.ts";
import type { Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { targetOf } from "../../shared/domain/target.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { inChunks, recordedContainer } from "../restore-points/store.ts";
import { openedRun } from "./run.ts";

const newest = "shop-hourly-20261121055825";
const older = "shop-hourly-20261121055818";

/** A run whose replica holds what a real Velero wrote, under the shop's plan on shared storage. */
async function beside(topology: "shop-shared" | "shop-replicated" = "shop-shared", fence: Partial<Plan["fence"]> = {}) {
  const plan = examplePlan(topology);
  const run = await openedRun({ phase: "choose", plan: { ...plan, fence: { ...plan.fence, ...fence } } });
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

describe("the loss", () => {
  /** As the runbook would have left the ledger before: every witness agreed at 06:02. */
  async function darkSince(run: Awaited<ReturnType<typeof beside>>, quieted: "unreachable" | "quiet" | null, backAgain = false) {
    const entry = (phase: Phase, step: string, value: unknown) =>
      run.ledger.write({ plan: "shop", epoch: run.ref.epoch, phase, step, key: "" }, { runId: run.ref.runId, epoch: run.ref.epoch, planHash: run.ref.planHash, phase, step, key: "", kind: "outcome", startedAt: run.time.now, at: run.time.now, value });
    await entry("confirm", "confirm-loss", { kind: "done", value: { kind: "lost", scope: "region", since: Date.parse("2026-11-21T06:01:30Z"), agreedSince: Date.parse("2026-11-21T06:02:00Z"), readings: [] } });
    if (quieted !== null) await entry("fence", "quiet-primary", quieted === "quiet" ? { kind: "quiet", suspended: [] } : { kind: "unreachable", why: "no route" });
    if (quieted !== null) await entry("fence", "close-primary", { kind: "closed", ...(backAgain ? { backAgain } : {}) });
  }
  const chosen = async (run: Awaited<ReturnType<typeof beside>>) => {
    const choice = await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {});
    return choice.kind === "chosen" ? choice.point.lossSeconds : null;
  };

  test("ends when all witnesses agreed that the primary is dark, however long the run takes", async () => {
    const run = await beside();
    await darkSince(run, "unreachable");
    run.time.now += 600_000;
    expect(await chosen(run)).toBe(215);
  });

  test("goes on until now where the primary served users when its endpoint was closed, whatever its cluster said", async () => {
    const run = await beside();
    await darkSince(run, "unreachable", true);
    run.time.now += 600_000;
    expect(await chosen(run)).toBeGreaterThan(600);
  });

  test("goes on until now where the primary's cluster answered when it was fenced: it may have taken writes", async () => {
    const run = await beside();
    await darkSince(run, "quiet");
    expect(await chosen(run)).toBe(395);
  });

  test("goes on until the agent in the primary closed what came back meanwhile, where the plan has one", async () => {
    const agent = { renewSeconds: 10, leaseSeconds: 60, closingSeconds: 90, marginSeconds: 60, noticeSeconds: 900, silenceCounts: true };
    for (const [declared, lossSeconds] of [[true, 235], [false, 215]] as const) {
      const run = await beside("shop-shared", declared ? { agent } : {});
      await darkSince(run, "unreachable");
      await run.home.put(leaseName("shop"), JSON.stringify({ format: 1, plan: "shop", agent: "a", leaseSeconds: 60, clusterSilent: null, state: { kind: "closed", epoch: run.ref.epoch, at: Date.parse("2026-11-21T06:02:20Z") } }));
      expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {})).toMatchObject({ point: { lossSeconds } });
    }
  });

  test("is on the card, which says that waiting costs no more of it", async () => {
    const run = await beside();
    await darkSince(run, null);
    expect(await run.answer(steps.weighRestorePoints, weighRestorePoints, {})).toMatchObject({ card: { lossSeconds: 215 }, text: expect.stringContaining("nothing more is lost while the primary stays dark") });
  });
});

test("a choice stands where the register cannot be written, and the log says so", async () => {
  const run = await beside();
  const home = { ...run.home, create: async (name: string, body: string) => (name.startsWith("registers/") ? Promise.reject(new Error("503 from home")) : run.home.create(name, body)) };
  const logged: string[] = [];
  const call = { ref: run.ref, phase: "choose", step: "choose-restore-point", key: "", input: {} } as const;
  expect(await perform(steps.chooseRestorePoint, chooseRestorePoint, call, { ...run.world, home }, (event, { because }) => void logged.push(`${event}: ${String(because)}`))).toMatchObject({ kind: "answer", value: { kind: "chosen", point: { name: newest } } });
  expect(logged).toEqual(["register.not-written: 503 from home"]);
  expect((await readRegister(run.home, "shop")).points).toEqual({});
});

test.each(["{", "[]", "null", '{"points":{"shop-1":null}}'])("a register that holds %s stops no choice, and the log says so", async (body) => {
  const run = await beside();
  await run.home.put("registers/shop/restore-points.json", body);
  const logged: string[] = [];
  const call = { ref: run.ref, phase: "choose", step: "choose-restore-point", key: "", input: {} } as const;
  expect(await perform(steps.chooseRestorePoint, chooseRestorePoint, call, run.world, (event) => void logged.push(event))).toMatchObject({ kind: "answer", value: { kind: "chosen", point: { name: newest } } });
  expect(logged).toEqual(["register.unreadable", "register.not-written"]);
});

test("a choice reads no older archive when the newest can be taken", async () => {
  const run = await beside();
  const opened: string[] = [];
  const backups: typeof run.world.backups = { ...run.world.backups, open: async (place, name) => (opened.push(name), run.world.backups.open(place, name)) };
  await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {}, { world: { ...run.world, backups } });
  expect(opened.some((name) => name.includes(newest))).toBe(true);
  expect(opened.filter((name) => name.includes(older))).toEqual([]);
});

test("the decision card says what would be restored now, what it loses, how long it takes, and holds it against the objectives", async () => {
  const run = await beside();
  run.time.now += 60_000;
  const weighed = await run.answer(steps.weighRestorePoints, weighRestorePoints, {});
  expect(weighed).toMatchObject({ kind: "weighed", card: { restorePoint: newest, lossSeconds: 455, withinRpo: true, withinRto: true, items: 74 }, text: expect.stringContaining(`Restore ${newest}`) });
  // A minute has passed since the run was opened, and is part of it; 74 items and 2.5 MB take two seconds more.
  expect(weighed.kind === "weighed" && weighed.card.predictedRtoSeconds).toBe(60 + 90 + 2);
});

describe("by the register", () => {
  /** Verified once, as the timer does it. */
  async function verified() {
    const run = await beside();
    for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) run.put(placesOf(run.plan).source, name, bytes, lastModifiedAt);
    const check = async () => checkAllBackups({}, { world: run.world, plan: run.plan, ledger: run.ledger, target: targetOf(run.plan, "failover"), call: { ref: run.ref, phase: null, step: "", key: "", input: {} }, startedAt: run.time.now, triedBefore: false, log: () => undefined });
    expect(await check()).toEqual({ checked: 3, usable: 3 });
    const read: string[] = [];
    const backups: typeof run.world.backups = {
      ...run.world.backups,
      read: async (place, name) => (read.push(name), run.world.backups.read(place, name)),
      open: async (place, name) => (read.push(name), run.world.backups.open(place, name)),
    };
    return { ...run, read, world: { ...run.world, backups } };
  }

  test("a point whose blobs are what they were when it was proven is taken without reading one of them", async () => {
    const run = await verified();
    const { world, read, home, ref } = run;
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {}, { world })).toMatchObject({ kind: "chosen", point: { name: newest, volumeBytes: 2_500_048, items: 74, lossSeconds: 395 } });
    expect(read).toEqual([]);
    const kept = await readPoint(home, ref, newest);
    expect(kept.contents.namespaces["shop"]?.kinds["apps/v1/Deployment"]).toBe(2);
    expect([kept.volumes.length, kept.spec]).toEqual([1, expect.objectContaining({ includedNamespaces: ["shop"] })]);
  });

  test("a blob that is another since then costs the point its place, however well it reads", async () => {
    const run = await verified();
    const { backups } = targetOf(run.plan, "failover");
    const older = recordedContainer().get(`backups/shop-hourly-20261121055818/shop-hourly-20261121055818-logs.gz`);
    run.put(backups, `backups/${newest}/${newest}-results.gz`, Buffer.concat([older?.bytes ?? Buffer.alloc(0)]));
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {}, { world: run.world })).toMatchObject({ kind: "chosen", point: { name: "shop-hourly-20261121055818" }, passedOver: [{ name: newest, reason: expect.stringMatching(/results/) as string }] });
  });

  test.each([null, "{"])("what was found when it was proven is not at home any more (%s): it is read", async (body) => {
    const run = await verified();
    if (body === null) run.home.blobs.delete(`registers/shop/points/${newest}/found.json`);
    else await run.home.put(`registers/shop/points/${newest}/found.json`, body);
    expect(await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {}, { world: run.world })).toMatchObject({ kind: "chosen", point: { name: newest } });
    expect(run.read.some((name) => name.endsWith(`${newest}.tar.gz`))).toBe(true);
  });

  test("nor does it read as it did: what is taken instead is held against its manifest all the same", async () => {
    const run = await verified();
    run.home.blobs.delete(`registers/shop/points/${newest}/found.json`);
    // Below the service: what comes is cut off, and the ETag is what it was.
    const open: typeof run.world.backups.open = async (place, name) => (name.endsWith(`${newest}.tar.gz`) ? inChunks(new Uint8Array(100)) : run.world.backups.open(place, name));
    const log = `backups/${older}/${older}-logs.gz`;
    const { bytes } = recordedContainer().get(log) ?? { bytes: new Uint8Array() };
    run.put(targetOf(run.plan, "failover").backups, log, Buffer.concat([bytes, Buffer.alloc(1)]));
    const choice = await run.answer(steps.chooseRestorePoint, chooseRestorePoint, {}, { world: { ...run.world, backups: { ...run.world.backups, open } } });
    expect(choice).toMatchObject({ kind: "chosen", point: { name: "shop-hourly-20261121055809" }, passedOver: [{ name: newest }, { name: older, reason: expect.stringContaining("another content") as string }] });
  });
});
