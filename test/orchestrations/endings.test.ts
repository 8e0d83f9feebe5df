import { describe, expect, test } from "vitest";
import type { Outcome, Phase } from "../../shared/domain/outcome.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { World } from "../../shared/ports.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { type Play, type Works, allGoesWell, fails, stage } from "./stage.ts";

const { play } = stage();
const strictFence: Plan = { ...examplePlan("shop-replicated"), fence: { enough: ["fenced"], suspend: ["workloads"] } };
const quiet: Works["quietPrimary"] = async () => ({ kind: "quiet", suspended: [{ apiVersion: "apps/v1", plural: "deployments", namespace: "shop", name: "storefront", undo: { spec: { replicas: 5 } } }] });
const lastBut = (trace: readonly string[], ...ends: string[]) => trace.filter((step) => !ends.includes(step)).at(-1);

describe("a ledger that somebody edits by hand in the middle of a run", () => {
  const fenced = "ledger/shop/000001/04-fence/close-primary.outcome.json";
  const edited = async ({ world }: { readonly world: World }): Promise<void> => world.home.put(fenced, ((await world.home.read(fenced))?.body ?? "").replace("closed", "open"));
  const cause = expect.stringContaining(`${fenced}: the entry was changed after its phase ended`) as string;

  test("halts it before the data moves, undone, and names the first broken link", async () => {
    const { ended, trace } = await play({ readPolicy: async (_, duty) => (await edited(duty), { kind: "policy", policyId: "policy-1" }) });
    const { outcome, report } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", step: "pass-data-point", cause, next: expect.stringContaining("mend the cause, then start the failover again") as string });
    expect(report).toMatchObject({ outcome: "halted", traffic: { after: "westeurope" } });
    expect(trace).not.toContain("delete-policy");
    expect(trace).toContain("reopen-primary");
  });

  test("halts it before users are moved", async () => {
    const { ended, world } = await play({ verifyApplications: async (input, duty) => (await edited(duty), allGoesWell.verifyApplications(input, duty)) });
    const { outcome } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", step: "open-secondary", cause });
    expect((await world.traffic.read(examplePlan("shop-replicated").traffic)).secondary.open).toBe(false);
  });

  test("halts it at the next phase where it is the link itself", async () => {
    const { ended, trace } = await play({ async chooseRestorePoint(input, duty) {
      const { digest } = await duty.ledger.head("shop");
      await duty.world.home.put(`ledger/shop/chain/${digest}.json`, "{}");
      return allGoesWell.chooseRestorePoint(input, duty);
    } });
    expect((await ended()).outcome).toMatchObject({ kind: "halted", cause: expect.stringMatching(/ledger\/shop\/chain\/[0-9a-f]{64}\.json: the link is missing, or is not one/) as string });
    expect(trace).not.toContain("pass-data-point");
    expect(trace).toContain("reopen-primary");
  });
});

describe("before anything was fenced, a run just ends:", () => {
  const cases: [string, Partial<Works>, Outcome][] = [
    ["target-not-ready, by what ARM says", { assessTarget: async () => ({ kind: "unable", reasons: ["no pool user"] }) }, { kind: "target-not-ready", reasons: ["no pool user"] }],
    ["target-not-ready, when a pool cannot be raised", { warmTarget: async () => ({ kind: "unable", reasons: ["no quota"] }) }, { kind: "target-not-ready", reasons: ["no quota"] }],
    ["target-not-ready, when the nodes do not come", { targetWarm: async () => ({ kind: "not-yet", about: "1 of 2 nodes" }) }, { kind: "target-not-ready", reasons: ["1 of 2 nodes"] }],
    ["target-not-ready, when the nodes cannot come", { targetWarm: async () => ({ kind: "done", value: { kind: "unable", reasons: ["no capacity"] } }) }, { kind: "target-not-ready", reasons: ["no capacity"] }],
    ["nothing-restorable", { weighRestorePoints: async () => ({ kind: "nothing-restorable", passedOver: [{ name: "a", reason: "expired" }] }) }, { kind: "nothing-restorable", passedOver: [{ name: "a", reason: "expired" }] }],
  ];
  test.each(cases)("%s", async (_, works, outcome) => {
    const { ended, trace, head } = await play(works);
    const end = await ended();
    expect(end.outcome).toEqual(outcome);
    expect(end.report).toMatchObject({ outcome: outcome.kind, traffic: { before: "westeurope", after: "westeurope" } });
    expect(trace).not.toContain("close-primary");
    expect(trace).not.toContain("reopen-primary");
    expect(await head()).toMatchObject({ run: null, active: "primary", last: { outcome: outcome.kind } });
  });
});

/** Able before anything is fenced, and unable when the secondary is made ready: something changed meanwhile. */
const onlyNow =
  (reasons: readonly string[]): Works["checkTarget"] =>
  async (_, { call }) =>
    call.phase === "make-ready" ? { kind: "unable", reasons } : { kind: "able" };

describe("between the fence and the points of no return everything is undone:", () => {
  test("nothing-restorable", async () => {
    const { ended, trace } = await play({ quietPrimary: quiet, chooseRestorePoint: async () => ({ kind: "nothing-restorable", passedOver: [] }) });
    const { outcome, report } = await ended();
    expect(outcome).toEqual({ kind: "nothing-restorable", passedOver: [] });
    expect(trace.slice(trace.indexOf("wake-primary"))).toEqual(["wake-primary", "reopen-primary", "report", "close-run"]);
    expect(report?.traffic.after).toBe("westeurope");
    expect(report?.steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(expect.arrayContaining(["choose nothing-restorable", "stand-down done"]));
  });

  test("a target that turns out not to be ready, on shared storage", async () => {
    const { ended, trace } = await play({ checkTarget: onlyNow(["namespace shop is not empty"]) }, { plan: examplePlan("shop-shared") });
    expect((await ended()).outcome).toEqual({ kind: "target-not-ready", reasons: ["namespace shop is not empty"] });
    expect(trace).toContain("reopen-primary");
  });

  test("a fence that is not enough, when a person says so", async () => {
    const { ended, until, decide, head, trace } = await play({}, { plan: strictFence });
    await until(async () => (await head()).run?.question?.about === "fence");
    expect(await decide("Grace Approver", "deny", "fence")).toBe("changed");
    const { outcome } = await ended();
    expect(outcome).toMatchObject({ kind: "declined", why: expect.stringContaining("Grace Approver said no") });
    expect(trace).toContain("reopen-primary");
    expect(trace).not.toContain("choose-restore-point");
  });

  test("a fence that is not enough, when nobody answers in time", async () => {
    const { ended, trace } = await play({}, { plan: strictFence });
    const { outcome, tookMs } = await ended();
    expect(outcome.kind).toBe("declined");
    expect(tookMs).toBeGreaterThanOrEqual(3_600_000);
    expect(trace).toContain("reopen-primary");
  });

  test("and a fence that a person lets pass is recorded as forced by them", async () => {
    const { ended, until, decide, head } = await play({}, { plan: strictFence });
    await until(async () => (await head()).run?.question?.about === "fence");
    await decide("Grace Approver", "approve", "fence");
    const { outcome, report } = await ended();
    expect(outcome.kind).toBe("recovered");
    expect(report?.fence?.level).toBe("forced by Grace Approver");
  });

  test("a step that fails: the run halts, says where, and says what stays", async () => {
    const { ended } = await play({ restoreEnded: async () => ({ kind: "done", value: { kind: "broken", why: "2 errors" } }) }, { plan: examplePlan("shop-shared") });
    const { outcome, report } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", phase: "restore", step: "restore-ended", cause: expect.stringContaining("2 errors"), next: expect.stringMatching(/start the failover again\. Left: what was restored so far stays in northeurope \(shop\)/) });
    expect(report?.traffic.after).toBe("westeurope");
    expect(report?.steps.find(({ name }) => name === "restore")?.outcome).toBe("failed");
  });

  test.each([
    ["cannot be reopened", { reopenPrimary: fails("Traffic Manager is busy") }, "endpoint may still be closed (Traffic Manager is busy)"],
    ["was closed before the run", { reopenPrimary: async () => ({ kind: "left-closed", why: "it was closed before this run" }) }, "public endpoint is closed (it was closed before this run)"],
    ["cannot be woken", { wakePrimary: fails("no answer") }, "what is suspended in the primary (no answer)"],
    ["says itself what is left", { wakePrimary: async () => ({ left: ["deployments shop/storefront is still suspended"] }) }, "deployments shop/storefront is still suspended"],
  ] satisfies [string, Partial<Works>, string][])("what is left is said when the primary %s, whatever the ending was", async (_, works, said) => {
    const nothing: Partial<Works> = { chooseRestorePoint: async () => ({ kind: "nothing-restorable", passedOver: [] }), ...works };
    const { ended, trace } = await play(nothing);
    const { outcome } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", step: "choose-restore-point", next: expect.stringContaining(said) });
    expect(trace).toContain("reopen-primary");
    expect(trace).toContain("wake-primary");
  });

  test("also when only the quieting answered: what it changed is woken by looking for it", async () => {
    const asked: unknown[] = [];
    const { ended } = await play({
      quietPrimary: quiet,
      closePrimary: fails("Traffic Manager is busy"),
      async wakePrimary({ quieted }) {
        asked.push(quieted);
        return { left: [] };
      },
    });
    expect((await ended()).outcome).toMatchObject({ kind: "halted", step: "close-primary" });
    expect(asked).toEqual([null]);
  });
});

describe("between the two points of no return traffic is left alone, and what must be rebuilt is said:", () => {
  test("a target that is not ready halts", async () => {
    const { ended, trace, head } = await play({ checkTarget: onlyNow(["no class managed-csi"]) });
    const { outcome, report } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", phase: "make-ready", step: "check-target", cause: "no class managed-csi", next: expect.stringContaining("start the failover again") });
    expect(trace).not.toContain("reopen-primary");
    expect(report?.traffic.after).toBe("nobody");
    expect((await head()).active).toBe("primary");
  });

  test("an abort ends aborted, with what is left", async () => {
    const { ended, trace } = await play({
      async verifyApplications(input, duty) {
        await current?.abort();
        return allGoesWell.verifyApplications(input, duty);
      },
    }).then(remember);
    const { outcome, report } = await ended();
    expect(outcome).toMatchObject({ kind: "aborted", by: "Grace Approver", left: expect.arrayContaining([expect.stringContaining("replication policy"), expect.stringContaining("endpoint is closed"), expect.stringContaining("what was restored so far stays")]) });
    expect(trace).not.toContain("open-secondary");
    expect(trace).not.toContain("reopen-primary");
    expect(report?.traffic.after).toBe("nobody");
  });
});

let current: Play | undefined;
/** So that a work can reach the run it belongs to. */
function remember(play: Play): Play {
  return (current = play);
}

describe("past the traffic point there is only forward:", () => {
  test.each([
    ["opening does not answer", { openSecondary: afterPassing() }, "open-secondary"],
    ["nobody sees it from outside", { seenFromOutside: async () => ({ kind: "not-yet", about: "still the old address" }) }, "seen-from-outside"],
    ["a consumer is missing", { releaseConsumers: fails("Deployment shop/order-mailer is not there") }, "release-consumers"],
    ["the first backup fails", { firstBackupCompleted: async () => ({ kind: "done", value: { kind: "failed", why: "Failed" } }) }, "first-backup-completed"],
    ["the first backup never ends", { firstBackupCompleted: async () => ({ kind: "not-yet", about: "InProgress" }) }, "first-backup-completed"],
  ] satisfies [string, Partial<Works>, string][])("%s", async (_, works, step) => {
    const { ended, trace, head } = await play(works);
    const { outcome } = await ended();
    expect(outcome).toMatchObject({ kind: "halted", step, next: expect.stringContaining("only forward") });
    expect(trace).not.toContain("reopen-primary");
    expect(await head()).toMatchObject({ active: "secondary", run: null, unprotectedSinceAt: expect.any(Number) });
  });

  test.each([
    ["both open", true, true, "disable the primary's endpoint by hand (now: primary open, secondary open), look"],
    ["neither open", false, false, "enable the secondary's endpoint by hand (now: primary closed, secondary closed), look"],
    ["the wrong one open", true, false, "disable the primary's endpoint by hand, enable the secondary's endpoint by hand (now: primary open, secondary closed), look"],
    ["the right one open", false, true, "the primary's endpoint is closed and the secondary's is open by now, look"],
  ])("what is left to do at the endpoints is what was read back: %s", async (_, primary, secondary, advice) => {
    const run = await play({ openSecondary: afterPassing(() => (run.state.traffic = { primary: { open: primary, monitor: "unknown" }, secondary: { open: secondary, monitor: "unknown" } })) });
    expect((await run.ended()).outcome).toMatchObject({ kind: "halted", step: "open-secondary", next: expect.stringContaining(`there is only forward: ${advice}`) as string });
  });

  test("endpoints that nobody can read stop no advice", async () => {
    const run = await play({ openSecondary: afterPassing(() => Object.assign(run.world.traffic, { read: fails("no answer from ARM") })) });
    expect((await run.ended()).outcome).toMatchObject({ kind: "halted", step: "open-secondary", next: expect.stringContaining("see that the primary's is disabled and the secondary's enabled") as string });
  });

  function afterPassing(then: () => unknown = () => undefined): Works["openSecondary"] {
    return async (...args) => {
      await allGoesWell.openSecondary(...args);
      then();
      throw new Error("no answer from ARM");
    };
  }

  test("an abort is refused", async () => {
    let answer = "";
    const { ended } = await play({
      async seenFromOutside(input, duty) {
        answer = (await current?.abort()) ?? "";
        return allGoesWell.seenFromOutside(input, duty);
      },
    }).then(remember);
    expect((await ended()).outcome.kind).toBe("recovered");
    expect(answer).toBe("past-no-return");
  });
});

describe("an abort is found at the border of every phase:", () => {
  const inPhase: [Phase, keyof Works][] = [
    ["confirm", "confirmLoss"],
    ["decide", "targetWarm"],
    ["fence", "closePrimary"],
    ["choose", "chooseRestorePoint"],
    ["promote", "readPolicy"],
    ["restore", "restoreEnded"],
    ["verify", "verifyApplications"],
  ];
  test.each(inPhase)("asked in %s", async (phase, key) => {
    const work = allGoesWell[key] as Works["confirmLoss"];
    const works: Partial<Works> = {
      [key]: async (...args: Parameters<Works["confirmLoss"]>) => {
        await current?.abort();
        return work(...args);
      },
    };
    const { ended, trace, head } = remember(await play(works, { plan: examplePlan(phase === "promote" ? "shop-replicated" : "shop-shared") }));
    const { outcome, report } = await ended();
    expect(outcome).toMatchObject({ kind: "aborted", by: "Grace Approver" });
    // Everything of the primary's is undone; what stays in the secondary is said, and nothing is said that is not there.
    const said = outcome.kind === "aborted" ? outcome.left.map((left) => left.split(" ")[1]) : null;
    expect(said).toEqual([...(trace.includes("start-restore") ? ["was"] : []), ...(trace.includes("warm-target") ? ["cluster"] : [])]);
    expect(report?.outcome).toBe("aborted");
    for (const step of ["delete-policy", "open-secondary"]) expect(trace).not.toContain(step);
    expect(trace.includes("reopen-primary")).toBe(trace.includes("close-primary"));
    expect((await head()).active).toBe("primary");
  });

  test("and while a question waits, at once", async () => {
    const plan: Plan = { ...examplePlan("shop-replicated"), approval: { mode: "approval", approvals: 1, expiresSeconds: 3_600 } };
    const { ended, until, head, abort, ring } = await play({}, { plan });
    await until(async () => (await head()).run?.question !== null);
    await abort();
    ring();
    const { outcome, tookMs } = await ended();
    expect(outcome).toMatchObject({ kind: "aborted" });
    expect(tookMs).toBeLessThan(1_000);
  });
});

test("a run that was overtaken stops: it acts no more, and neither reports nor closes what is not its own", async () => {
  const { ended, trace, home } = await play({
    async verifyApplications(input, duty) {
      // Somebody put another run into the ledger by hand.
      const name = "ledger/shop/head.json";
      const head = JSON.parse(home.blobs.get(name)?.body ?? "{}") as { epoch: number; run: { id: string; epoch: number } };
      await home.put(name, JSON.stringify({ ...head, epoch: 2, run: { ...head.run, id: "shop-2", epoch: 2 } }));
      return allGoesWell.verifyApplications(input, duty);
    },
  });
  const { outcome, report } = await ended();
  expect(outcome).toMatchObject({ kind: "refused", why: expect.stringContaining("shop-1 may not act any more") });
  expect(report).toBeNull();
  expect(lastBut(trace)).toBe("verify-applications");
});
