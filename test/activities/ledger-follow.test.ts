import { beforeEach, describe, expect, test } from "vitest";
import { openSecondary } from "../../functions/activities/open-secondary.ts";
import { turnPhase } from "../../functions/activities/phases.ts";
import { passDataPoint } from "../../functions/activities/promote.ts";
import { LedgerBroken, openLedger } from "../../functions/ledger.ts";
import { followNewest, followRun } from "../../functions/ledger-follow.ts";
import { steps } from "../../orchestrations/steps.ts";
import { entriesPrefix, type Head, headName, passPoint } from "../../shared/domain/ledger.ts";
import { type Link, linkName } from "../../shared/domain/ledger-chain.ts";
import { verified } from "./restored-shop.ts";

type Run = Awaited<ReturnType<typeof verified>>;

const entry = (phase: string, step: string) => `ledger/shop/000001/${phase}/${step}.outcome.json`;
const closed = entry("04-fence", "close-primary");
const chosen = entry("05-choose", "choose-restore-point");
const bodyOf = ({ home }: Run, name: string): string => home.blobs.get(name)?.body ?? "";
const headOf = (run: Run): Head => JSON.parse(bodyOf(run, headName("shop"))) as Head;
const linkOf = (run: Run, digest: string): Link => JSON.parse(bodyOf(run, linkName("shop", digest))) as Link;
const edit = (run: Run, name: string, change: (body: string) => string): Promise<void> => run.home.put(name, change(bodyOf(run, name)));

/** Each by hand, in a run whose phases decide, fence, choose and verify have ended; answers with the place that must be named. */
const edits: Readonly<Record<string, (run: Run) => Promise<string>>> = {
  async "an entry that says something else"(run) {
    await edit(run, closed, (body) => body.replace("closed", "open"));
    return closed;
  },
  async "an entry that was cut off"(run) {
    await edit(run, chosen, (body) => body.slice(0, -40));
    return chosen;
  },
  async "an entry that was deleted"(run) {
    run.home.blobs.delete(chosen);
    return chosen;
  },
  async "two entries that were swapped"(run) {
    const [one, other] = [bodyOf(run, closed), bodyOf(run, chosen)];
    await run.home.put(closed, other);
    await run.home.put(chosen, one);
    return closed;
  },
  async "an entry that was slipped in after its phase"(run) {
    const name = entry("05-choose", "put-question.loss");
    await run.home.put(name, JSON.stringify({ value: { verdict: { kind: "go" } } }));
    return name;
  },
  async "an entry of a phase that never was"(run) {
    const name = entry("08-restore", "start-restore");
    await run.home.put(name, "{}");
    return name;
  },
  async "a link that says something else"(run) {
    const name = linkName("shop", headOf(run).digest);
    await edit(run, name, (body) => body.replace(/"sha256": "./, '"sha256": "x'));
    return name;
  },
  async "a link that was deleted"(run) {
    const name = linkName("shop", linkOf(run, headOf(run).digest).before);
    run.home.blobs.delete(name);
    return name;
  },
  async "two links that were swapped"(run) {
    const { digest } = headOf(run);
    const { before } = linkOf(run, digest);
    const [one, other] = [bodyOf(run, linkName("shop", digest)), bodyOf(run, linkName("shop", before))];
    await run.home.put(linkName("shop", digest), other);
    await run.home.put(linkName("shop", before), one);
    // Read from its end, the chain leaves out the link before: what that one covers hangs on nothing.
    return linkName("shop", digest);
  },
  async "a head whose chain ends elsewhere"(run) {
    await edit(run, headName("shop"), (body) => body.replace(headOf(run).digest, "ab".repeat(32)));
    return linkName("shop", "ab".repeat(32));
  },
  async "a head whose chain ends a link earlier"(run) {
    const { digest } = headOf(run);
    await edit(run, headName("shop"), (body) => body.replace(digest, linkOf(run, digest).before));
    return headName("shop");
  },
  async "a head whose chain was cut off"(run) {
    await edit(run, headName("shop"), (body) => body.replace(headOf(run).digest, "0".repeat(64)));
    return headName("shop");
  },
  async "a head that forgot its last phase"(run) {
    const head = headOf(run);
    await run.home.put(headName("shop"), JSON.stringify({ ...head, run: { ...head.run, phases: head.run?.phases.filter(({ phase }) => phase !== "choose") } }));
    return headName("shop");
  },
};

describe("before a point of no return a ledger that was edited by hand is refused, and nothing happens:", () => {
  let run: Run;
  beforeEach(async () => {
    run = await verified("open");
  });

  for (const [gate, take] of [
    ["data", (of: Run) => of.take(steps.passDataPoint, passDataPoint, {})],
    ["traffic", (of: Run) => of.take(steps.openSecondary, openSecondary, {})],
  ] as const)
    test.each(Object.entries(edits))(`${gate}: %s`, async (_, byHand) => {
      if (gate === "data") run.state.traffic = { ...run.state.traffic, primary: { open: false, monitor: "stopped" } };
      const name = await byHand(run);
      const answered = await take(run);
      expect(answered).toMatchObject({ kind: "again", because: expect.stringContaining(`read the ledger on ${name}: `) as string });
      expect(answered).toMatchObject({ because: expect.stringContaining("it was changed by hand: put back what it was") as string });
      expect(run.effects).toEqual([]);
      expect(headOf(run).run?.pointsOfNoReturn).toEqual({ data: null, traffic: null });
    });

  test("and opens again when somebody has put back what it was", async () => {
    const before = bodyOf(run, closed);
    await edits["an entry that says something else"]?.(run);
    expect((await run.take(steps.openSecondary, openSecondary, {})).kind).toBe("again");
    await run.home.put(closed, before);
    expect((await run.take(steps.openSecondary, openSecondary, {})).kind).toBe("answer");
  });

  test("although this process remembers what it was", async () => {
    await run.ledger.entries("shop", 1);
    await edits["an entry that says something else"]?.(run);
    await expect(followRun(run.world.home, "shop", 1)).rejects.toThrow(LedgerBroken);
  });
});

describe("what is read for it", () => {
  test("is each entry and each link of the run once, the head once, and one list", async () => {
    const run = await verified("open");
    const asked: string[] = [];
    const { home } = run.world;
    await followRun({ ...home, read: async (name) => (asked.push(name), home.read(name)), list: async (prefix, max) => (asked.push(`list ${prefix}`), home.list(prefix, max)) }, "shop", 1);
    const links = ["decide", "fence", "choose", "verify"].length;
    expect(asked[0]).toBe(`list ${entriesPrefix("shop", 1)}`);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toHaveLength(1 + 1 + links + (await run.entries()).length);
  });

  test("ends where links lead in a circle, and where the run is another's by now", async () => {
    const run = await verified("open");
    const { digest } = headOf(run);
    await edit(run, linkName("shop", digest), (body) => body.replace(linkOf(run, digest).before, digest));
    await expect(followRun(run.world.home, "shop", 1)).rejects.toThrow("the links lead in a circle");
    await followRun(run.world.home, "shop", 2);
  });
});

describe("from phase to phase", () => {
  const turn = async (run: Run, begin: "restore" | "stand-down" | "report") => run.take(steps.turnPhase, turnPhase, { end: null, begin });

  test("the newest link is looked at; standing down and reporting go on over a broken one", async () => {
    const run = await verified("open");
    expect((await turn(run, "restore")).kind).toBe("answer");
    const name = linkName("shop", headOf(run).digest);
    await edit(run, name, (body) => body.replace("verify", "restore").replace(/"sha256": "./, '"sha256": "x'));
    expect(await turn(run, "restore")).toMatchObject({ kind: "again", because: expect.stringContaining(name) as string });
    for (const begin of ["stand-down", "report"] as const) expect((await turn(run, begin)).kind).toBe("answer");
    const end = async (outcome: string) => run.take(steps.turnPhase, turnPhase, { end: { phase: "restore", outcome }, begin: null });
    expect([(await end("done")).kind, (await end("failed")).kind]).toEqual(["again", "answer"]);
  });

  test("behind the traffic point there is only forward", async () => {
    const run = await verified("open");
    await run.ledger.change("shop", (head) => passPoint(head, 1, "traffic", 1));
    run.home.blobs.delete(linkName("shop", headOf(run).digest));
    expect((await turn(run, "restore")).kind).toBe("answer");
  });
});

test("a plan without any run hangs on nothing", async () => {
  const { world } = await verified("open");
  await expect(followNewest(world.home, await openLedger(world.home).head("other"), { withEntries: true })).resolves.toBeUndefined();
});
