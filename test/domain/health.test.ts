import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Reading, type Soak, type SoakStep, soak } from "../../shared/domain/health.ts";
import type { Signal } from "../../shared/domain/plan.ts";
import { examplePlan } from "./example-plans.ts";

const kinds = ["public-probe", "backend-probe", "kubernetes-api", "resource-health", "traffic-manager"] as const satisfies readonly Signal["kind"][];
type Says = Reading["says"];
type Round = Partial<Record<Signal["kind"], Says>> | "silent";

/** All five must agree, for a minute, read every ten seconds, given up after a quarter of an hour. */
const { confirmation } = examplePlan("shop-replicated");
const start = Date.parse("2026-11-21T06:05:00Z");
const everyMs = 10_000;

const readingsOf = (round: Round, otherwise: Says): Reading[] => kinds.map((signal) => ({ signal, says: round === "silent" ? "down" : (round[signal] ?? otherwise), about: `${signal} was read` }));

/** Rounds ten seconds apart, the last one repeated until there is a verdict. `otherwise`: what signals say that a round does not name. */
function play(rounds: readonly Round[], { otherwise = "down", agree = 5, pauses = {} }: { otherwise?: Says; agree?: number; pauses?: Readonly<Record<number, number>> } = {}) {
  let state: Soak | null = null;
  let at = start;
  for (let number = 0; number < 500; number++) {
    at += pauses[number] ?? 0;
    const round = rounds[Math.min(number, rounds.length - 1)] ?? {};
    const step: SoakStep = soak(state, readingsOf(round, otherwise), round === "silent" ? "silent" : "answer", at, { ...confirmation, agree });
    if (step.kind === "done") return { verdict: step.value, afterMs: at - start };
    state = step.state;
    at += everyMs;
  }
  throw new Error("no verdict");
}

describe("a loss", () => {
  test("is believed when all say down for the whole soak time, since the first of them said so", () => {
    expect(play([{}])).toEqual({ verdict: { kind: "lost", scope: "region", since: start, agreedSince: start, readings: expect.any(Array) }, afterMs: 60_000 });
  });

  test("counts from the first signal that fell, while the soak counts from the last", () => {
    const { verdict, afterMs } = play([{ "traffic-manager": "up" }, { "traffic-manager": "up" }, {}]);
    expect(verdict).toMatchObject({ kind: "lost", since: start });
    expect(afterMs).toBe(80_000);
  });

  test("does not count from a signal that fell once and rose again: a round without any `down` begins anew", () => {
    const { verdict, afterMs } = play([{ "public-probe": "down" }, {}, { "kubernetes-api": "down" }, { "public-probe": "down", "kubernetes-api": "down" }], { otherwise: "unknown", agree: 2 });
    expect(verdict).toMatchObject({ kind: "lost", since: start + 20_000, agreedSince: start + 30_000 });
    expect(afterMs).toBe(90_000);
  });

  test("is a cluster's when Resource Health does not say that its surroundings are gone", () => {
    expect(play([{ "resource-health": "up" }], { agree: 4 }).verdict).toMatchObject({ kind: "lost", scope: "cluster" });
  });

  test("waits for the whole soak again after a break", () => {
    expect(play([{}, {}, {}, { "kubernetes-api": "unknown" }, {}]).afterMs).toBe(100_000);
  });

  test("is not made of two looks with nothing between them", () => {
    const { verdict, afterMs } = play([{}], { pauses: { 1: 120_000 } });
    expect(verdict.kind).toBe("lost");
    expect(afterMs).toBe(10_000 + 120_000 + 60_000);
    // A shorter pause is no break: a slow round must not start the soak anew.
    expect(play([{}], { pauses: { 1: 30_000 } }).afterMs).toBe(60_000);
  });
});

describe("time in which nobody looked", () => {
  test("is no time in which it could have been confirmed: a host that was down for longer than the give-up time looks again", () => {
    const { verdict, afterMs } = play([{}], { pauses: { 1: 1_000_000 } });
    expect(verdict.kind).toBe("lost");
    expect(afterMs).toBe(10_000 + 1_000_000 + 60_000);
  });
});

describe("nobody fails over", () => {
  test.each(kinds)("when %s is blinded and all must agree", (blind) => {
    for (const says of ["unknown", "up"] as const) expect(play([{ [blind]: says }]).verdict.kind).toBe("not-lost");
  });

  test("when only what stands in front of the cluster is down: an ingress can break alone", () => {
    expect(play([{ "kubernetes-api": "unknown", "resource-health": "unknown" }], { agree: 2 }).verdict).toMatchObject({ kind: "not-lost", why: expect.stringContaining("kubernetes-api or resource-health among them") });
  });

  test("while the API server answers over living nodes, whatever all the others say", () => {
    expect(play([{ "kubernetes-api": "up" }], { agree: 4 }).verdict.kind).toBe("not-lost");
  });

  test("when none of the control targets answers: it is we who are cut off", () => {
    const { verdict } = play(["silent"]);
    expect(verdict).toMatchObject({ kind: "not-lost", why: expect.stringContaining("not confirmed within 900 s") });
    expect(verdict.readings.map(({ says, about }) => [says, about])).toEqual(kinds.map((kind) => ["unknown", `none of the control targets answers, so this says nothing: ${kind} was read`]));
  });

  test("when the controls fall silent in the middle of the soak", () => {
    expect(play([{}, {}, {}, {}, "silent", {}]).afterMs).toBe(110_000);
  });

  test("on a blip: users are served again, whatever slower witnesses still say", () => {
    const back: Round = { "public-probe": "up", "backend-probe": "up" };
    const { verdict, afterMs } = play([{}, {}, {}, {}, back]);
    expect(verdict).toMatchObject({ kind: "not-lost", why: expect.stringContaining("a blip") });
    expect(afterMs).toBe(40_000);
  });

  test("nor calls half of what users see a blip", () => {
    const half: Round = { "public-probe": "up" };
    expect(play([{}, half, {}]).verdict.kind).toBe("lost");
  });

  test("nor takes for a blip that the front outlives the cluster by a moment", () => {
    const dying: Round = { "public-probe": "up", "backend-probe": "up" };
    expect(play([dying, dying, dying, {}])).toMatchObject({ verdict: { kind: "lost" }, afterMs: 90_000 });
  });

  test("when users are served all the while, whatever the others say", () => {
    const { verdict, afterMs } = play([{ "public-probe": "up", "backend-probe": "up" }]);
    expect(verdict).toMatchObject({ kind: "not-lost", why: expect.stringContaining("answered its users for 60 s") });
    expect(afterMs).toBe(60_000);
  });

  test("at the first round in which everybody says up", () => {
    expect(play([{}], { otherwise: "up" })).toMatchObject({ verdict: { kind: "not-lost", why: "every signal says the primary is up" }, afterMs: 0 });
  });

  test("when it stays unclear until the time is up, and the reason counts the signals", () => {
    const { verdict, afterMs } = play([{ "public-probe": "down" }], { otherwise: "unknown" });
    expect(verdict).toMatchObject({ kind: "not-lost", why: "not confirmed within 900 s: 5 of 5 signals must say down, kubernetes-api or resource-health among them, down: public-probe; unknown: backend-probe, kubernetes-api, resource-health, traffic-manager" });
    expect(afterMs).toBe(900_000);
  });

  test("unless enough said down in every single round of a whole soak, whatever the rounds were", () => {
    const says = fc.constantFrom<Says>("down", "up", "unknown");
    const round = fc.oneof({ weight: 3, arbitrary: fc.constant<Round>({}) }, { weight: 1, arbitrary: fc.record(Object.fromEntries(kinds.map((kind) => [kind, says]))) }, { weight: 1, arbitrary: fc.constant<Round>("silent") });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 30 }), fc.integer({ min: 2, max: 5 }), (rounds, agree) => {
        const { verdict, afterMs } = play(rounds, { agree });
        if (verdict.kind === "not-lost") return;
        const last = afterMs / everyMs;
        for (let number = last - 6; number <= last; number++) {
          const played = rounds[Math.min(number, rounds.length - 1)] ?? {};
          expect(played).not.toBe("silent");
          expect(readingsOf(played, "down").filter((reading) => reading.says === "down").length).toBeGreaterThanOrEqual(agree);
          expect(readingsOf(played, "down").find(({ signal }) => signal === "kubernetes-api")?.says).not.toBe("up");
        }
      }),
    );
  });
});
