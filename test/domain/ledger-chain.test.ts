import { beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.ts";
import { openLedger, sha256 } from "../../functions/ledger.ts";
import { closeRun, emptyDigest, type Head, headName, openRun, turnPhase } from "../../shared/domain/ledger.ts";
import { type Link, linkName, linkText, verifyChain, verifyNewest, verifyRun } from "../../shared/domain/ledger-chain.ts";
import { memoryHome, testStart as at } from "../activities/memory-world.ts";

/** Home as two runs leave it, each with two phases of two entries, and a third that is open; bodies by name. `second`: the second step of the first run. */
async function written(second = "two"): Promise<Map<string, string>> {
  const home = memoryHome();
  const ledger = openLedger(home);
  for (const epoch of [1, 2, 3]) {
    await ledger.change("shop", (head) => openRun(head, { kind: "recovery", door: "http", by: "Ada", reason: "gone", alertId: null, applications: [] }, "hash", at));
    for (const phase of ["confirm", "decide"] as const) {
      await ledger.change("shop", (head) => turnPhase(head, { epoch, end: null, begin: phase }, at, null));
      for (const step of ["one", epoch === 1 ? second : "two"]) await ledger.write({ plan: "shop", epoch, phase, step, key: "" }, { runId: `shop-${epoch}`, epoch, planHash: "hash", phase, step, key: "", kind: "outcome", startedAt: at, at, value: `${epoch} ${step}` });
      if (epoch === 3 && phase === "decide") break;
      const digest = await ledger.link(await ledger.head("shop"), phase);
      await ledger.change("shop", (head) => turnPhase(head, { epoch, end: { phase, outcome: "done" }, begin: null }, at, digest));
    }
    if (epoch === 3) break;
    const digest = await ledger.link(await ledger.head("shop"), "report");
    await ledger.change("shop", (head) => closeRun(head, epoch, { kind: "declined", why: "no" }, at, 0, digest));
  }
  const found = new Map<string, string>();
  for (const name of await home.list("", 1_000)) found.set(name, (await home.read(name))?.body ?? "");
  return found;
}

const judged = (blobs: ReadonlyMap<string, string>, digests: readonly string[] = []) => verifyChain("shop", { names: [...blobs.keys()].toSorted(), read: (name) => blobs.get(name) ?? null }, sha256, digests);
const sealed = (name: string) => name.startsWith("ledger/shop/") && name !== headName("shop") && !name.includes("/000003/03-decide/");

describe("the chain of a ledger", () => {
  let blobs: ReadonlyMap<string, string>;
  beforeAll(async () => void (blobs = await written()));

  test("is whole as it was written; the phase that is still open hangs on nothing yet", () => {
    expect(judged(blobs)).toMatchObject({ kind: "whole", runs: 3, links: 7, entries: 10 });
  });

  test("names whatever was changed by one byte, entry or link", () => {
    const changed = [...blobs.keys()].filter(sealed);
    expect(changed).toHaveLength(17);
    for (const name of changed) expect(judged(new Map([...blobs, [name, (blobs.get(name) ?? "").replace(/[0-9a-f](?=[^0-9a-f]*$)/, (byte) => (byte === "1" ? "2" : "1"))]])), name).toMatchObject({ kind: "broken", name });
  });

  test("names whatever is missing", () => {
    for (const name of [...blobs.keys()].filter(sealed)) expect(judged(new Map([...blobs].filter(([other]) => other !== name))), name).toMatchObject({ kind: "broken", name });
  });

  test("names what was slipped in after its phase had ended", () => {
    const name = "ledger/shop/000001/02-confirm/three.outcome.json";
    expect(judged(new Map([...blobs, [name, "{}"]]))).toEqual({ kind: "broken", name, why: "no link of the chain covers this entry: it was put there after its phase had ended" });
  });

  describe("of a record that came when its phase had ended", () => {
    const record = { runId: "shop-1", epoch: 1, planHash: "hash", phase: "confirm", step: "three", key: "main", kind: "outcome", startedAt: at, at, value: "late" };
    const name = (of: Partial<typeof record> = {}) => `ledger/shop/00000${(of.epoch ?? record.epoch).toString()}/02-${of.phase ?? record.phase}/${of.step ?? record.step}.${of.key ?? record.key}.${of.kind ?? record.kind}.json`;
    const put = (place: string, body: unknown) => judged(new Map([...blobs, [place, JSON.stringify(body)]]));

    test.each(["outcome", "intent"])("tells, and holds all the same: %s", (kind) => {
      expect(put(name({ kind }), { ...record, kind })).toMatchObject({ kind: "whole", runs: 3, links: 7, entries: 10, late: [name({ kind })] });
      expect(judged(blobs)).toMatchObject({ late: [] });
    });

    test.each([
      ["of another run", { epoch: 2 }],
      ["of another phase", { phase: "fence" }],
      ["of another step", { step: "four" }],
      ["of another part", { key: "" }],
      ["of another kind", { kind: "intent" }],
      ["of no kind", { kind: "guess" }],
      ["without an epoch", { epoch: null }],
      ["without a phase", { phase: null }],
      ["without a step", { step: null }],
      ["without a key", { key: null }],
    ])("takes none for it that is a record %s", (_, other) => {
      expect(put(name(), { ...record, ...other })).toMatchObject({ kind: "broken", name: name() });
    });

    test.each([
      ["that is open", 3, "two"],
      ["that came to the data point", 1, "pass-data-point"],
      ["that came to the traffic point", 1, "open-secondary"],
    ])("takes none for it that a gate goes by, in a run %s", async (_, epoch, step) => {
      const came = await written(step);
      const gate = { ...record, epoch, phase: "fence", step: "put-question", key: "fence" };
      const put = (file: string, other: Partial<typeof record> = {}, run = epoch) => judged(new Map([...came, [`ledger/shop/00000${run}/04-fence/${file}.json`, JSON.stringify({ ...gate, epoch: run, ...other })]]));
      expect(put("put-question.fence.outcome")).toMatchObject({ kind: "broken", name: `ledger/shop/00000${epoch}/04-fence/put-question.fence.outcome.json` });
      expect(put("put-question.fence.intent", { kind: "intent" })).toMatchObject({ kind: "whole" });
      expect(put("put-question.other.outcome", { key: "other" })).toMatchObject({ kind: "whole" });
      expect(put("other.fence.outcome", { step: "other" })).toMatchObject({ kind: "whole" });
      // The run between those two came to none.
      expect(put("put-question.fence.outcome", {}, 2)).toMatchObject({ kind: "whole", late: ["ledger/shop/000002/04-fence/put-question.fence.outcome.json"] });
    });
  });

  test("of two phases that are open side by side leaves both to write", () => {
    const promoting = { phase: "promote", startedAt: at, endedAt: null, outcome: null };
    const head = JSON.parse(blobs.get(headName("shop")) ?? "") as Head;
    const both = new Map([...blobs, [headName("shop"), JSON.stringify({ ...head, run: { ...head.run, phases: [...(head.run?.phases ?? []), promoting] } })], ["ledger/shop/000003/06-promote/read-policy.outcome.json", "{}"]]);
    expect(judged(both)).toMatchObject({ kind: "whole" });
    expect(verifyRun("shop", 3, { names: [...both.keys()].filter((name) => name.startsWith("ledger/shop/000003/")), read: (name) => both.get(name) ?? null }, sha256)).toBeNull();
  });

  test("is hashed line by line: what was before, then each entry with its digest", () => {
    expect(linkText({ before: "b", entries: [{ name: "n", sha256: "s" }, { name: "m", sha256: "t" }] })).toBe("b\nn s\nm t");
  });

  test("names the first place of several", () => {
    const first = "ledger/shop/000001/02-confirm/one.outcome.json";
    expect(judged(new Map([...blobs, [first, "{}"], ["ledger/shop/000002/02-confirm/one.outcome.json", "{}"]]))).toMatchObject({ name: first });
  });

  test("that was written anew from end to end lacks the digest that somebody kept", () => {
    const kept = "ab".repeat(32);
    expect(judged(blobs, [kept])).toMatchObject({ kind: "broken", name: linkName("shop", kept) });
  });

  test.each(["null", "[]", "1", "{}", '{"before":"","epoch":1,"entries":[null]}', '{"before":"","epoch":1,"entries":["x"]}', '{"before":"","epoch":1,"entries":[{"sha256":"x"}]}', '{"before":"","epoch":1,"entries":[{"name":"x"}]}', '{"before":"","epoch":1,"entries":[{"name":1,"sha256":"x"}]}', '{"before":"","epoch":1,"entries":[{"name":"x","sha256":1}]}'])("names a link that is none: %s", (body) => {
    const name = [...blobs.keys()].find((known) => known.includes("/chain/")) ?? "";
    expect(judged(new Map([...blobs, [name, body]]))).toEqual({ kind: "broken", name, why: "the link is missing, or is not one: what was written before it can no longer be shown to be unchanged" });
  });

  test.each(["null", '{"plan":"shop"}', '{"plan":"shop","digest":"0","run":7}', '{"plan":"shop","digest":"0","run":{"epoch":"3","phases":[]}}', '{"plan":"shop","digest":"0","run":{"epoch":3,"phases":{}}}'])("names a head that is none: %s", (body) => {
    expect(judged(new Map([...blobs, [headName("shop"), body]]))).toEqual({ kind: "broken", name: headName("shop"), why: "the head is missing, or is not one" });
  });

  test("that hangs on itself ends", () => {
    const digest = "cd".repeat(32);
    const head = JSON.stringify({ ...(JSON.parse(blobs.get(headName("shop")) ?? "") as object), digest });
    const link = JSON.stringify({ format: 1, plan: "shop", epoch: 1, phase: "confirm", before: digest, entries: [] });
    expect(judged(new Map([[headName("shop"), head], [linkName("shop", digest), link]]))).toMatchObject({ kind: "broken", why: "the links lead in a circle" });
  });

  test.each([["nothing", undefined], ["no JSON", "{"], ["a list", "[]"], ["another object", "{}"], ["a run without phases", '{"plan":"shop","digest":"0","run":{"epoch":1}}']])("whose head is %s is broken at its head", (_, body) => {
    const changed = new Map(blobs);
    if (body === undefined) changed.delete(headName("shop"));
    else changed.set(headName("shop"), body);
    expect(judged(changed)).toMatchObject({ kind: "broken", name: headName("shop") });
  });
});

describe("the chain of the open run", () => {
  let blobs: ReadonlyMap<string, string>;
  beforeAll(async () => void (blobs = await written()));
  const own = "ledger/shop/000003/";
  const followed = (changed: ReadonlyMap<string, string>) => verifyRun("shop", 3, { names: [...changed.keys()].filter((name) => name.startsWith(own)).toSorted(), read: (name) => changed.get(name) ?? null }, sha256);
  const head = (change: (head: Head) => object) => new Map([...blobs, [headName("shop"), JSON.stringify(change(JSON.parse(blobs.get(headName("shop")) ?? "") as Head))]]);
  const confirm = `${own}02-confirm/one.outcome.json`;
  const ownLink = () => linkName("shop", (JSON.parse(blobs.get(headName("shop")) ?? "") as Head).digest);
  const before = () => linkName("shop", (JSON.parse(blobs.get(ownLink()) ?? "") as Link).before);

  test("holds as it was written; what an open phase has written is nobody's yet", () => {
    expect(followed(blobs)).toBeNull();
    expect([...blobs.keys()].filter((name) => name.startsWith(`${own}03-decide/`))).toHaveLength(2);
  });

  test("says nothing of the runs before it but their last link", () => {
    expect(followed(new Map([...blobs, ["ledger/shop/000002/02-confirm/one.outcome.json", "{}"]]))).toBeNull();
    expect(followed(new Map([...blobs, [before(), (blobs.get(before()) ?? "").replace("report", "rep0rt")]]))).toBeNull();
    expect(followed(new Map([...blobs, [before(), (blobs.get(before()) ?? "").replace('"before": "', '"before": "0')]]))).toEqual({ kind: "broken", name: before(), why: "the link was changed: what it says does not make its digest" });
    expect(followed(new Map([...blobs].filter(([name]) => name !== before())))).toMatchObject({ name: before(), why: expect.stringContaining("the link is missing") as string });
  });

  test("names what was changed, deleted or slipped in", () => {
    expect(followed(new Map([...blobs, [confirm, "{}"]]))).toEqual({ kind: "broken", name: confirm, why: `the entry was changed after its phase ended; ${ownLink()} has its digest` });
    expect(followed(new Map([...blobs].filter(([name]) => name !== confirm)))).toEqual({ kind: "broken", name: confirm, why: `the entry is missing; ${ownLink()} covers it` });
    const three = `${own}02-confirm/three.outcome.json`;
    expect(followed(new Map([...blobs, [three, "{}"]]))).toEqual({ kind: "broken", name: three, why: "no link of the chain covers this entry, and its phase is not open" });
  });

  test("lets a step's own record come when its phase has ended, and none that a gate goes by", () => {
    const record = { runId: "shop-3", epoch: 3, planHash: "hash", phase: "confirm", step: "three", key: "", kind: "outcome", startedAt: at, at, value: "late" };
    expect(followed(new Map([...blobs, [`${own}02-confirm/three.outcome.json`, JSON.stringify(record)]]))).toBeNull();
    const closed = `${own}04-fence/close-primary.outcome.json`;
    expect(followed(new Map([...blobs, [closed, JSON.stringify({ ...record, phase: "fence", step: "close-primary" })]]))).toMatchObject({ kind: "broken", name: closed });
  });

  test("holds the head against its links: a phase that ended has one, one that did not has none", () => {
    expect(followed(new Map([...blobs, [headName("shop"), "{"]]))).toEqual({ kind: "broken", name: headName("shop"), why: "the head is missing, or is not one" });
    expect(followed(head((was) => ({ ...was, digest: (JSON.parse(blobs.get(ownLink()) ?? "") as Link).before })))).toEqual({ kind: "broken", name: headName("shop"), why: "it says that confirm has ended, and no link of the chain covers that" });
    const reopened = head((was) => ({ ...was, run: { ...was.run, phases: was.run?.phases.map((note) => (note.phase === "confirm" ? { ...note, endedAt: null } : note)) } }));
    expect(followed(reopened)).toEqual({ kind: "broken", name: headName("shop"), why: `it does not say that confirm has ended, and ${ownLink()} covers that` });
  });

  test("looks at the newest link alone where that is enough", () => {
    const newest = (changed: ReadonlyMap<string, string>, digest = (JSON.parse(blobs.get(headName("shop")) ?? "") as Head).digest) => verifyNewest("shop", digest, { read: (name) => changed.get(name) ?? null }, sha256);
    expect([newest(blobs), newest(new Map(), emptyDigest)]).toEqual([null, null]);
    expect(newest(new Map([...blobs, [before(), "{}"]]))).toBeNull();
    expect(newest(new Map([...blobs, [confirm, "{}"]]))).toMatchObject({ name: confirm });
    const alone = (changed: ReadonlyMap<string, string>) => verifyNewest("shop", (JSON.parse(blobs.get(headName("shop")) ?? "") as Head).digest, { read: (name) => changed.get(name) ?? null }, sha256, false);
    expect(alone(new Map([...blobs, [confirm, "{}"]]))).toBeNull();
    expect(alone(new Map([...blobs, [ownLink(), blobs.get(before()) ?? ""]]))).toMatchObject({ name: ownLink() });
    expect(newest(new Map([...blobs, [ownLink(), "{}"]]))).toMatchObject({ name: ownLink(), why: expect.stringContaining("the link is missing, or is not one") as string });
    expect(newest(new Map([...blobs, [ownLink(), blobs.get(before()) ?? ""]]))).toMatchObject({ name: ownLink(), why: expect.stringContaining("the link was changed") as string });
  });
});

describe("lifeboat ledger verify", () => {
  async function verify(blobs: ReadonlyMap<string, string>, ...options: string[]) {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runProgram(["ledger", "verify", "home", ...options], {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      read: (file) => blobs.get(file.replace(/^home\//, "")) ?? "",
      list: () => [...blobs.keys()].toSorted(),
      colour: false,
    });
    return { code, out, err };
  }

  test("says of each plan that it is whole, with the digest to keep", async () => {
    const { code, out } = await verify(await written());
    expect(code).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^whole shop: 3 runs, 7 links over 10 entries, digest [0-9a-f]{64}$/)]);
  });

  test("holds the reports against the chain", async () => {
    const blobs = await written();
    const report = (digest: string) => JSON.stringify({ plan: "shop", digest });
    const head = JSON.parse(blobs.get(headName("shop")) ?? "") as { digest: string };
    expect((await verify(new Map([...blobs, ["reports/shop-1/report.json", report(head.digest)]]))).code).toBe(0);
    const { code, out } = await verify(new Map([...blobs, ["reports/shop-1/report.json", report("ef".repeat(32))]]), "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out[0] ?? "")).toMatchObject({ event: "ledger", plan: "shop", kind: "broken" });
  });

  test("says what to give it when there is no ledger", async () => {
    const { code, err } = await verify(new Map([["plans/shop.yaml", ""]]));
    expect(code).toBe(2);
    expect(err.join()).toContain("copy of the whole home container");
  });
});
