import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ledger, openLedger, sha256 } from "../../functions/ledger.ts";
import { type Entry, type Opening, abort, openRun, passPoint, turnPhase } from "../../shared/domain/ledger.ts";
import { inAnyOrder } from "./in-any-order.ts";
import { losing, memoryHome, testStart as at } from "./memory-world.ts";

const opening = (alertId: string): Opening => ({ kind: "failover", door: "alert", by: "rule", reason: "dark", alertId, applications: [] });
const open = (ledger: Ledger, alertId: string) => ledger.change("shop", (head) => openRun(head, opening(alertId), "hash", at));
const entry = (value: unknown): Entry => ({ runId: "shop-1", epoch: 1, planHash: "hash", phase: "confirm", step: "confirm-loss", key: "", kind: "outcome", startedAt: at, at, value });
const place = { plan: "shop", epoch: 1, phase: "confirm", step: "confirm-loss", key: "" } as const;

describe("openings that cross each other", () => {
  test("twenty of one alert open one run, in whatever order home answers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const home = memoryHome();
        const ledger = openLedger(inAnyOrder(home, scheduler));
        const made = Promise.all(Array.from({ length: 20 }, () => open(ledger, "alert-1")));
        await scheduler.waitFor(made);
        const answers = await made;
        expect(answers.filter(({ kind }) => kind === "changed")).toHaveLength(1);
        expect(answers.flatMap((answer) => (answer.kind === "refused" ? [answer.why] : []))).toEqual(Array(19).fill("alert-handled"));
        expect((await openLedger(home).head("shop")).epoch).toBe(1);
      }),
      { numRuns: 15 },
    );
  });

  test("twenty of different alerts open one run too", async () => {
    const home = memoryHome();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => open(openLedger(home), `alert-${number}`)));
    expect(answers.filter(({ kind }) => kind === "changed")).toHaveLength(1);
  });

  test("an abort and a point of no return never both succeed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const home = memoryHome();
        await open(openLedger(home), "alert-1");
        const ledger = openLedger(inAnyOrder(home, scheduler));
        const both = Promise.all([ledger.change("shop", (head) => passPoint(head, 1, "traffic", at)), ledger.change("shop", (head) => abort(head, "shop-1", "Grace", "no", at))]);
        await scheduler.waitFor(both);
        expect((await both).map(({ kind }) => kind).sort()).toEqual(["changed", "refused"]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("an answer of home that got lost", () => {
  test("opens one run: the repeat finds its own alert handled", async () => {
    const home = memoryHome();
    const ledger = openLedger(losing(home, "create"));
    await expect(open(ledger, "alert-1")).rejects.toThrow("the answer was lost");
    expect(await open(ledger, "alert-1")).toMatchObject({ kind: "refused", why: "alert-handled", head: { epoch: 1, run: { id: "shop-1" } } });
  });

  test("writes an entry once: the first one counts", async () => {
    const home = memoryHome();
    const ledger = openLedger(losing(home, "create"));
    await expect(ledger.write(place, entry("first"))).rejects.toThrow("the answer was lost");
    expect((await ledger.write(place, entry("second"))).value).toBe("first");
    expect((await ledger.entry(place, "outcome"))?.value).toBe("first");
  });
});

test("gives up, and says when to come again, where others are faster again and again", async () => {
  const home = memoryHome();
  await home.create("ledger/shop/head.json", JSON.stringify({ ...(await openLedger(home).head("shop")) }));
  const ledger = openLedger({ ...home, replace: async () => null });
  await expect(open(ledger, "alert-1")).rejects.toMatchObject({ name: "WorldError", retryAfterSeconds: 1 });
});

describe("the digest", () => {
  const grown = async (names: readonly string[], bodies: readonly string[]) => {
    const home = memoryHome();
    const ledger = openLedger(home);
    await open(ledger, "alert-1");
    for (const [index, name] of names.entries()) await home.create(`ledger/shop/000001/02-confirm/${name}`, bodies[index] ?? "");
    return ledger.link(await ledger.head("shop"), "confirm");
  };

  test("covers names, bodies and what was before, and can be checked with nothing but SHA-256", async () => {
    const one = await grown(["a.outcome.json", "b.outcome.json"], ["1", "2"]);
    expect(one).toBe(sha256(`${"0".repeat(64)}\nledger/shop/000001/02-confirm/a.outcome.json ${sha256("1")}\nledger/shop/000001/02-confirm/b.outcome.json ${sha256("2")}`));
    for (const other of [await grown(["a.outcome.json", "b.outcome.json"], ["1", "3"]), await grown(["a.outcome.json", "c.outcome.json"], ["1", "2"]), await grown(["a.outcome.json"], ["1"])]) expect(other).not.toBe(one);
  });

  test("of a phase follows from the one before", async () => {
    const home = memoryHome();
    const ledger = openLedger(home);
    await open(ledger, "alert-1");
    const first = await ledger.link(await ledger.head("shop"), "confirm");
    await ledger.change("shop", (head) => turnPhase(head, { epoch: 1, end: { phase: "confirm", outcome: "done" }, begin: null }, at, first));
    expect(await ledger.link(await ledger.head("shop"), "decide")).toBe(sha256(first));
  });
});
