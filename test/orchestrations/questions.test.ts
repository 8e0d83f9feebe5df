import { describe, expect, test } from "vitest";
import type { Plan } from "../../shared/domain/plan.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { type Play, allGoesWell, point, stage } from "./stage.ts";

const { play } = stage();
const planWith = (approval: Plan["approval"]): Plan => ({ ...examplePlan("shop-shared"), approval });
const veto = planWith({ mode: "veto", windowSeconds: 300 });
const twoOfMany = planWith({ mode: "approval", approvals: 2, expiresSeconds: 1_800 });

/** How long the ledger may stay unread although nobody rings. */
const pollMs = 15_000;

const asked = async ({ until, head }: Play): Promise<void> => until(async () => (await head()).run?.question !== null);

describe("a veto window", () => {
  test("lets the run go on when nobody objects", async () => {
    const run = await play({}, { plan: veto });
    const { outcome, report, tookMs } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeGreaterThanOrEqual(300_000);
    expect(tookMs).toBeLessThan(300_000 + 2 * pollMs);
    expect(report?.decision).toMatchObject({ asked: expect.stringContaining("Restore the newest."), answers: [] });
  });

  test("ends the run at the first objection, with who and why", async () => {
    const run = await play({}, { plan: veto });
    await asked(run);
    await run.decide("Grace Approver", "deny");
    run.ring();
    const { outcome, tookMs } = await run.ended();
    expect(outcome).toEqual({ kind: "declined", why: "Grace Approver said no: because" });
    expect(tookMs).toBeLessThan(pollMs);
    expect(run.trace).not.toContain("close-primary");
  });
});

describe("an approval", () => {
  test("is there when enough people have given it, each once", async () => {
    const run = await play({}, { plan: twoOfMany });
    await asked(run);
    expect(await run.decide("Grace Approver", "approve")).toBe("changed");
    run.ring();
    expect(await run.decide("Grace Approver", "approve")).toBe("already-decided");
    await run.run.engine.idle();
    expect(run.trace).not.toContain("close-primary");
    expect(await run.decide("Ken Approver", "approve")).toBe("changed");
    run.ring();
    const { outcome, report } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(report?.decision.answers.map(({ by }) => by)).toEqual(["Grace Approver", "Ken Approver"]);
    expect(await run.decide("Late Approver", "deny")).toBe("not-this-run");
  });

  test("is refused by one who denies, whoever approved before", async () => {
    const run = await play({}, { plan: twoOfMany });
    await asked(run);
    await run.decide("Grace Approver", "approve");
    await run.decide("Ken Approver", "deny");
    run.ring();
    expect((await run.ended()).outcome).toEqual({ kind: "declined", why: "Ken Approver said no: because" });
  });

  test("expires: one of two is not enough", async () => {
    const run = await play({}, { plan: twoOfMany });
    await asked(run);
    await run.decide("Grace Approver", "approve");
    const { outcome, tookMs } = await run.ended();
    expect(outcome).toEqual({ kind: "declined", why: "nobody answered in time (1 of 2 approvals)" });
    expect(tookMs).toBeGreaterThanOrEqual(1_800_000);
    expect(tookMs).toBeLessThan(1_800_000 + 2 * pollMs);
  });

  test("is asked for of a person who started the run too, where the plan wants several", async () => {
    const run = await play({}, { plan: twoOfMany, door: "http" });
    await asked(run);
    await run.decide("Grace Approver", "approve");
    await run.decide("Ken Approver", "approve");
    run.ring();
    expect((await run.ended()).outcome.kind).toBe("recovered");
  });
});

test("nobody is asked where the plan says so, nor a person who decided by starting the run", async () => {
  for (const options of [{ plan: planWith({ mode: "automatic", because: "the lab runs unattended" }) }, { plan: veto, door: "http" as const }]) {
    const run = await play({}, options);
    const { outcome, tookMs } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeLessThan(60_000);
  }
});

describe("a bell", () => {
  test("that is lost costs one poll, never a decision", async () => {
    const run = await play({}, { plan: twoOfMany });
    await asked(run);
    await run.decide("Grace Approver", "approve");
    await run.decide("Ken Approver", "approve");
    const { outcome, tookMs } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeLessThanOrEqual(pollMs + 1_000);
  });

  test("that rings for nothing, many times, changes nothing; and later ones that old waiters swallow cost one poll", async () => {
    const run = await play({}, { plan: twoOfMany });
    await asked(run);
    for (let ring = 0; ring < 10; ring++) {
      run.ring();
      await run.run.engine.idle();
      run.run.clock.advance(1_000);
    }
    expect(run.trace).not.toContain("close-primary");
    // Waiters of earlier polls are still there: this one may be theirs.
    run.run.clock.advance(4 * pollMs);
    await run.run.engine.idle();
    const decidedAt = run.run.clock.now();
    await run.decide("Grace Approver", "approve");
    await run.decide("Ken Approver", "approve");
    run.ring();
    await run.until(() => run.trace.includes("close-primary"));
    expect(run.run.clock.now() - decidedAt).toBeLessThanOrEqual(pollMs);
    expect((await run.ended()).outcome.kind).toBe("recovered");
  });

  test("that rings before anybody waits is not missed: the ledger is read after the question is put", async () => {
    let early = "";
    const run = await play(
      {
        async putQuestion(input, duty) {
          const answer = await allGoesWell.putQuestion(input, duty);
          if (early === "") {
            // Between the first look and the wait: the decision comes, and its bell finds nobody or rings too early.
            early = await run.decide("Grace Approver", "approve");
            await run.decide("Ken Approver", "approve");
            run.ring();
          }
          return answer;
        },
      },
      { plan: twoOfMany },
    );
    const { outcome, tookMs } = await run.ended();
    expect(early).toBe("changed");
    expect(outcome.kind).toBe("recovered");
    expect(tookMs).toBeLessThanOrEqual(pollMs + 1_000);
  });
});

test("a long wait for a person keeps its history short", async () => {
  const run = await play({}, { plan: planWith({ mode: "approval", approvals: 1, expiresSeconds: 7_200 }) });
  const { outcome } = await run.ended();
  expect(outcome.kind).toBe("declined");
  expect(run.eventsMost()).toBeLessThanOrEqual(500);
  expect(run.problems).toEqual([]);
});

test("a ledger that cannot be read lets no question wait for ever", async () => {
  const run = await play({ putQuestion: async () => Promise.reject(new Error("no answer from the home account")) }, { plan: veto });
  const { outcome, tookMs } = await run.ended();
  expect(outcome).toMatchObject({ kind: "halted", step: "put-question", cause: "no answer from the home account" });
  expect(tookMs).toBeGreaterThanOrEqual(300_000);
  expect(tookMs).toBeLessThan(1_200_000);
});

describe("the point that was decided upon is gone when it is to be taken", () => {
  const older = { name: "shop-hourly-20261121055818", takenAt: point.takenAt - 3_600_000 };
  const lost = { chooseRestorePoint: async () => ({ kind: "chosen" as const, point: { ...point, ...older }, passedOver: [] }) };

  test("who approved one loss is asked again about the greater one", async () => {
    const run = await play(lost, { plan: planWith({ mode: "approval", approvals: 1, expiresSeconds: 1_800 }) });
    await asked(run);
    await run.decide("Grace Approver", "approve");
    run.ring();
    await run.until(async () => (await run.head()).run?.question?.about === "loss");
    expect((await run.head()).run?.question?.text).toContain("loses 60 min of changes more");
    expect(run.trace).not.toContain("delete-policy");
    await run.decide("Grace Approver", "deny", "loss");
    run.ring();
    const { outcome } = await run.ended();
    expect(outcome).toEqual({ kind: "declined", why: "more is lost than was decided upon, and Grace Approver said no: because" });
    expect(run.trace).toContain("wake-primary");
  });

  test("and where the plan asks nobody, the plan has agreed to this too", async () => {
    const run = await play(lost, { plan: planWith({ mode: "automatic", because: "the lab runs by itself" }) });
    expect((await run.ended()).outcome).toMatchObject({ kind: "recovered", restorePoint: older.name });
  });
});

describe("a loss above the plan's objective needs a person", () => {
  const automatic = planWith({ mode: "automatic", because: "the lab runs by itself" });
  const lossSeconds = automatic.objectives.rpoSeconds + 600;
  const weighed = async () => ({ kind: "weighed" as const, card: { restorePoint: point.name, takenAt: point.takenAt, lossSeconds, withinRpo: false, items: 60, volumeBytes: 1_000, predictedRtoSeconds: 120, withinRto: true, passedOver: [], waitingCosts: "Waiting costs." }, text: "Restore the newest." });
  const chosen = async () => ({ kind: "chosen" as const, point: { ...point, lossSeconds }, passedOver: [] });
  const above = { weighRestorePoints: weighed, chooseRestorePoint: chosen };

  test.each(["alert", "http"] as const)("although the plan decides by itself, when it was started by %s: their yes opens the gates, and the report names them", async (door) => {
    const run = await play(above, { plan: automatic, door });
    await asked(run);
    expect((await run.head()).run?.question).toMatchObject({ about: "decision", approvalsNeeded: 1, silence: "decline", text: expect.stringContaining("10 min more than the objective of 75 min") as string });
    expect(run.trace).not.toContain("close-primary");
    await run.decide("Grace Approver", "approve");
    run.ring();
    const { outcome, report } = await run.ended();
    expect(outcome.kind).toBe("recovered");
    expect(report?.decision.by).toMatch(/^Grace Approver; one had to agree to a loss above the objective/);
  });

  test("their silence is a no, and nothing was touched", async () => {
    const run = await play(above, { plan: automatic });
    const { outcome, report, tookMs } = await run.ended();
    expect(outcome).toEqual({ kind: "declined", why: "nobody answered in time (0 of 1 approvals)" });
    expect(tookMs).toBeGreaterThanOrEqual(3_600_000);
    expect(run.trace).not.toContain("close-primary");
    expect(report?.decision.by).toBe("nobody; one had to agree to a loss above the objective");
  });

  test("when it has grown above it since it was decided: asked before anything is given up, and undone without a yes", async () => {
    const run = await play({ chooseRestorePoint: chosen }, { plan: automatic });
    await run.until(async () => (await run.head()).run?.question?.about === "loss");
    expect((await run.head()).run?.question).toMatchObject({ approvalsNeeded: 1, text: expect.stringContaining("loses at most 85 min of changes by now; 6 min 40 s were shown") as string });
    expect((await run.ended()).outcome).toEqual({ kind: "declined", why: "more is lost than was decided upon, and nobody answered in time (0 of 1 approvals)" });
    expect(run.trace).toContain("wake-primary");
    const agreed = await play({ chooseRestorePoint: chosen }, { plan: automatic });
    await agreed.until(async () => (await agreed.head()).run?.question?.about === "loss");
    await agreed.decide("Grace Approver", "approve", "loss");
    agreed.ring();
    expect((await agreed.ended()).outcome.kind).toBe("recovered");
  });
});

test("who decided what, and what they were shown, stays in the ledger when the run has ended, under its chain", async () => {
  const run = await play({}, { plan: twoOfMany });
  await asked(run);
  for (const by of ["Grace Approver", "Ken Approver"]) await run.decide(by, "approve");
  run.ring();
  await run.ended();
  const kept = [...run.home.blobs].filter(([name]) => name.endsWith("put-question.decision.outcome.json")).map(([, { body }]) => JSON.parse(body) as { readonly value: unknown });
  expect(kept).toMatchObject([{ value: { question: { text: expect.stringContaining("Restore the newest.") as string }, decisions: [{ by: "Grace Approver" }, { by: "Ken Approver" }], verdict: { kind: "go" } } }]);
  const links = [...run.home.blobs].filter(([name]) => name.includes("/chain/")).map(([, { body }]) => body);
  expect(links.some((body) => body.includes("put-question.decision.outcome.json"))).toBe(true);
});
