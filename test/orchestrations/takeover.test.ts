import { describe, expect, test } from "vitest";
import { isFinished } from "../../lab/host/durable/new-instance.ts";
import { openLedger } from "../../functions/ledger.ts";
import { takeOver } from "../../functions/take-over.ts";
import type { Outcome } from "../../shared/domain/outcome.ts";
import { verifyChain } from "../../shared/domain/ledger-chain.ts";
import { examplePlan, digest } from "../domain/example-plans.ts";
import { allGoesWell, type Play, stage, type Works } from "./stage.ts";

const { play } = stage();

/** A person takes the run over while it is in the middle of a step, and the next one is played to its end. */
async function takenOverAt(step: keyof Works, works: Partial<Works> = {}) {
  const usual = { ...allGoesWell, ...works }[step] as (...args: unknown[]) => Promise<unknown>;
  let next: string | null = null;
  const run: Play = await play({
    ...works,
    [step]: async (...args: unknown[]) => {
      const answer = await usual(...args);
      if (next === null) next = await take(run);
      return answer;
    },
  });
  await run.answered();
  const nextId = `shop-2`;
  const startedAt = run.run.clock.now();
  while (!isFinished(run.run.row(nextId))) {
    await run.run.engine.idle();
    if (isFinished(run.run.row(nextId))) break;
    if (!run.run.clock.advanceToNext()) throw new Error("nothing is due");
    if (run.run.clock.now() - startedAt > 86_400_000) throw new Error("it still runs after a day");
  }
  const ended = JSON.parse(run.run.row(nextId).output ?? "null") as { readonly kind: string; readonly value: Outcome };
  const dead = JSON.parse(run.run.row(run.runId).output ?? "null") as { readonly kind: string; readonly value: Outcome };
  return { ...run, dead: dead.value, outcome: ended.value };
}

async function take({ world, run, runId, plan }: Play): Promise<string> {
  const client = { startNew: async (name: string, { instanceId, input }: { instanceId: string; input: unknown }) => run.start(name, input, instanceId), getStatus: async () => Promise.reject(new Error("HTTP 404")) };
  const made = await takeOver(world, client as never, { plan, hash: digest(JSON.stringify(plan)) }, { runId, ifEpoch: 1, by: "Ada Operator", byId: "id of Ada", reason: "it has stood still for an hour" });
  if (made.kind === "refused") throw new Error(made.why);
  return made.runId;
}

const chainOf = ({ home }: Play) => verifyChain("shop", { names: [...home.blobs.keys()], read: (name) => home.blobs.get(name)?.body ?? null }, digest);

describe("a run that hangs is taken over by the next epoch, whatever it was about:", () => {
  test.each(["confirmLoss", "warmTarget", "weighRestorePoints", "closePrimary", "quietPrimary", "chooseRestorePoint", "passDataPoint", "deletePolicy", "checkTarget", "startRestore", "restoreEnded", "verifyApplications"] as const)("before the traffic point, in %s: the next one recovers, the dead one does nothing more", async (step) => {
    const run = await takenOverAt(step);
    expect(run.dead).toMatchObject({ kind: "refused", why: expect.stringContaining("may not act any more") });
    expect(run.outcome.kind).toBe("recovered");
    expect(await run.head()).toMatchObject({ epoch: 2, run: null, active: "secondary", last: { runId: "shop-2", outcome: "recovered" } });
    expect(chainOf(run)).toMatchObject({ kind: "whole", runs: 2 });
    expect(JSON.parse(run.home.blobs.get("reports/shop-1/report.json")?.body ?? "{}")).toMatchObject({ outcome: "halted", next: ["look at shop-2, which goes on from here"] });
  });

  test.each(["openSecondary", "seenFromOutside", "releaseConsumers", "startBackups"] as const)("behind it, in %s: there is only forward, and it says what is left", async (step) => {
    const run = await takenOverAt(step);
    expect(run.outcome).toMatchObject({ kind: "halted", step: "open-secondary", cause: expect.stringContaining("shop-1 was taken over"), next: expect.stringContaining("only forward") });
    expect(await run.head()).toMatchObject({ epoch: 2, run: null, active: "secondary" });
    expect(run.effects.filter((effect) => effect === "close-primary")).toHaveLength(1);
    expect(chainOf(run).kind).toBe("whole");
  });

  test("waits before its first act until whatever the dead one had sent must have arrived", async () => {
    const run = await takenOverAt("quietPrimary");
    const acts = (await openLedger(run.world.home).entries("shop", 2)).filter(({ kind }) => kind === "intent");
    const opened = (await openLedger(run.world.home).entries("shop", 1)).filter(({ step }) => step === "close-primary")[0]?.at ?? 0;
    expect(Math.min(...acts.map(({ startedAt }) => startedAt)) - opened).toBeGreaterThanOrEqual(60_000);
  });

  test("gives back what the dead one had fenced, when it does not go on itself", async () => {
    const run = await takenOverAt("quietPrimary", { assessTarget: async (_, { call }) => (call.ref.epoch === 1 ? { kind: "able" } : { kind: "unable", reasons: ["the secondary cluster is being deleted"] }) });
    expect(run.outcome).toMatchObject({ kind: "target-not-ready" });
    expect(run.trace.slice(-3)).toEqual(["reopen-primary", "report", "close-run"]);
    expect(run.trace).toContain("wake-primary");
    expect((await run.world.traffic.read(examplePlan("shop-replicated").traffic)).primary.open).toBe(true);
  });
});
