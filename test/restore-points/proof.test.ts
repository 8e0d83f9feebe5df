import { describe, test } from "vitest";
import { mergeIntoRegister, readRegister } from "../../functions/activities/register.ts";
import { checkBackup } from "../../functions/activities/restore-points/check-backup.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { openFindings } from "../../shared/domain/findings.ts";
import { memoryHome } from "../activities/memory-world.ts";
import { again, flipped, newest, others, pack, proving, put } from "./proving.ts";
import { openStage } from "./store.ts";

describe("a look at what was proven before", () => {
  test.for(["replicated", "shared"] as const)("costs listings and not one download while nothing changes, on %s storage", async (topology, { expect }) => {
    const { verify, later, stage } = proving(topology);
    expect((await verify()).carried.size).toBe(0);
    const { carried, points, choice, register, open } = await later();
    expect([...carried].toSorted()).toEqual([newest, ...others].toSorted());
    expect(stage.asked.filter((question) => /^(read|open) /.test(question))).toEqual([]);
    expect(stage.asked.filter((question) => question.startsWith("list ") && question.includes(topology === "shared" ? "-secondary" : "stshopneu"))).toHaveLength(2);
    expect(points.map(({ reached, usable }) => [reached, usable.kind])).toEqual(points.map(() => ["readable", "usable"]));
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest } });
    expect([register.points[newest]?.checkedAt, open]).toEqual([stage.nowAt, []]);
  });

  test("reads all of it again when the plan has changed, and when it was believed for long enough", async ({ expect }) => {
    const { verify, later, stage, proof } = proving();
    await verify();
    expect((await verify({ proof: { ...proof, planHash: "plan-2" } })).carried.size).toBe(0);
    stage.nowAt += stage.plan.backups.rereadEverySeconds * 1_000;
    expect((await later()).carried.size).toBe(0);
  });

  test("keeps a digest of every blob, and of every pack", async ({ expect }) => {
    const { verify, proof, replica } = proving();
    await verify();
    const kept = await proof.records.manifest(newest);
    expect(Object.keys(kept?.manifest.blobs ?? {}).length).toBe([...replica.keys()].filter((name) => name.startsWith(`backups/${newest}/`)).length);
    for (const { sha256 } of Object.values(kept?.manifest.blobs ?? {})) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const { blobs } = await proof.records.repository("shop");
    expect(Object.values(blobs).every(([, , sha256]) => /^[0-9a-f]{64}$/.test(sha256 ?? ""))).toBe(true);
    expect(Object.keys(blobs)).toContain(pack.slice("kopia/shop/".length));
  });
});

describe("what differs from the manifest takes the point its proof, and is named", () => {
  const files = ["velero-backup.json", `${newest}-logs.gz`, `${newest}-volumeinfo.json.gz`, `${newest}.tar.gz`];
  test.for(files)("%s changed under its name", async (file, { expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    put(stage, `backups/${newest}/${file}`, flipped, ["replica", "source"]);
    const { points, open, choice } = await later();
    expect(points[0]?.usable.kind).toBe("unusable");
    expect(points[0]?.findings.find(({ level }) => level === "manifest")).toMatchObject({ ok: false, about: expect.stringContaining(file) as string });
    expect(open).toContain(`tampered ${newest}`);
    expect(choice).toMatchObject({ kind: "chosen", point: { name: others[0] } });
  });

  test("a blob that is written again with what it held is no harm", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    put(stage, `backups/${newest}/${newest}.tar.gz`, again);
    put(stage, pack, again);
    const { open, choice, carried } = await later();
    expect([open, choice.kind === "chosen" && choice.point.name, carried.has(newest)]).toEqual([[], newest, false]);
    expect((await later()).carried.has(newest)).toBe(true);
  });

  test("a folder that was made anew under the same name belongs to another backup", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    put(stage, `backups/${newest}/velero-backup.json`, (bytes) => Buffer.from(Buffer.from(bytes).toString("utf8").replace(/"uid":\s*"[^"]+"/, '"uid":"another"')), ["replica", "source"]);
    const { points } = await later();
    expect(points[0]?.usable).toMatchObject({ kind: "unusable", reason: expect.stringContaining("belongs to another backup of the same name") as string });
  });

  test("a blob more than there was", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    for (const side of [stage.replica, stage.source]) side.set(`backups/${newest}/extra`, { bytes: new Uint8Array(3), lastModifiedAt: stage.nowAt, replication: "complete" });
    expect((await later()).points[0]?.usable).toMatchObject({ kind: "unusable", reason: expect.stringContaining("extra") as string });
  });

  test.for([["replica"], ["replica", "source"]] as const)("a pack that left the %s", async (sides, { expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    for (const side of sides) stage[side].delete(pack);
    const { points, open, choice } = await later();
    expect(choice.kind).toBe("nothing-restorable");
    expect(points.every(({ usable }) => usable.kind === "unusable" && usable.reason.includes(pack.slice("kopia/shop/".length)))).toBe(true);
    expect(open).toContain(`tampered ${newest}`);
  });

  test("one bit of a pack", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    put(stage, pack, flipped);
    const { points } = await later();
    expect(points.map(({ usable }) => usable.kind)).toEqual(["unusable", "unusable", "unusable"]);
    expect(points[0]?.usable).toMatchObject({ reason: expect.stringContaining("another content") as string });
  });

  test("packs that the repository's own maintenance took away are no harm: the source has dropped them too, and says that it ran", async ({ expect }) => {
    const { verify, later, stage, proof } = proving();
    await verify();
    for (const side of [stage.replica, stage.source]) {
      side.delete(pack);
      side.set("kopia/shop/kopia.maintenance", { bytes: new Uint8Array(9), lastModifiedAt: stage.nowAt, replication: "complete" });
    }
    const { open, choice } = await later();
    expect([open, choice.kind === "chosen" && choice.point.name]).toEqual([[], newest]);
    expect((await proof.records.repository("shop")).removed).toMatchObject([{ blobs: 1 }]);
  });

  test.for(["replicated", "shared"] as const)("maintenance that ran minutes before the region was lost takes no point from the run, on %s storage", async (topology, { expect }) => {
    const { verify, later, stage, proof } = proving(topology);
    await verify();
    stage.replica.delete(pack);
    stage.replica.set("kopia/shop/kopia.maintenance", { bytes: new Uint8Array(9), lastModifiedAt: stage.nowAt, replication: "pending" });
    stage.dark = true;
    const run = await verify({ by: "run", untilChosen: true, askSource: false });
    expect([run.choice.kind === "chosen" && run.choice.point.name, [...run.carried]]).toEqual([newest, [newest]]);
    // The timer cannot ask the source either. When it can, the source decides: it has the pack still, so it was no maintenance.
    expect((await later()).choice).toMatchObject({ kind: "chosen", point: { name: newest } });
    expect((await proof.records.repository("shop")).removed).toEqual([]);
    stage.dark = false;
    const { open, choice } = await later();
    expect([open.includes(`tampered ${newest}`), choice.kind]).toEqual([true, "nothing-restorable"]);
  });

  test("a pack that is gone without any maintenance takes the point its proof in the dark too", async ({ expect }) => {
    const { verify, stage } = proving();
    await verify();
    stage.replica.delete(pack);
    stage.dark = true;
    expect((await verify({ by: "run", untilChosen: true, askSource: false })).choice.kind).toBe("nothing-restorable");
  });

  test.for(["replicated", "shared"] as const)("a pack of a repository too large to be watched, held against the source's list, on %s storage", async (topology, { expect }) => {
    const { verify, later, stage, proof } = proving(topology);
    await proof.records.changeRepository("shop", (manifest) => ({ ...manifest, beyond: true }));
    await verify();
    expect(stage.asked.filter((question) => question.startsWith("open ") && question.includes("kopia/"))).toEqual([]);
    expect([...(await later()).carried].toSorted()).toEqual([newest, ...others].toSorted());
    const later2 = { bytes: new Uint8Array(3), lastModifiedAt: stage.nowAt + 1, replication: "pending" } as const;
    stage.source.set("kopia/shop/p00000000000000000000000000000000-s000000000000000000", later2);
    expect([...(await later()).carried].toSorted(), "a pack of a later backup is on its way").toEqual([newest, ...others].toSorted());
    stage.replica.delete(pack);
    const { choice, points } = await later();
    expect(choice.kind).toBe("nothing-restorable");
    expect(points.every(({ usable }) => usable.kind === "unusable" && usable.reason.includes(pack.slice("kopia/shop/".length)))).toBe(true);
  });

  test("a pack that was moved to the archive tier, which leaves no other trace, and is proven again when it is back", async ({ expect }) => {
    const stage = openStage();
    const home = memoryHome();
    const proof = { records: openRecords(home, "shop", null), planHash: "plan-1" };
    const look = async (by: "timer" | "run") => {
      const found = await verifyBackups(stage.world, stage.plan, await readRegister(home, "shop"), { proof, by, askSource: by === "timer" });
      await mergeIntoRegister(home, stage.plan, found.register, (stage.nowAt += 1_000));
      return found;
    };
    await look("timer");
    const blob = stage.replica.get(pack);
    if (!blob) throw new Error("there is no pack");
    stage.replica.set(pack, { ...blob, archived: true });
    for (const by of ["run", "timer"] as const) {
      const { choice, points } = await look(by);
      expect([by, choice.kind, points[0]?.usable]).toEqual([by, "nothing-restorable", { kind: "unusable", reason: expect.stringContaining("lie in the archive tier at the replica") as string }]);
    }
    stage.replica.set(pack, blob);
    expect((await look("timer")).choice).toMatchObject({ kind: "chosen", point: { name: newest } });
  });

  test("a pack that arrived while the point was being looked at, and left again", async ({ expect }) => {
    const { verify, later, stage, world } = proving();
    const folder = `backups/${newest}/`;
    const backup = (["source", "replica"] as const).map((side) => [side, [...stage[side]].filter(([name]) => name.startsWith(folder))] as const);
    for (const [side, blobs] of backup) for (const [name] of blobs) stage[side].delete(name);
    await verify();
    for (const [side, blobs] of backup) for (const [name, blob] of blobs) stage[side].set(name, blob);
    const late = "kopia/shop/p00000000000000000000000000000000-s000000000000000000";
    const list = world.backups.list;
    // The older points were held against their repository already when it comes.
    world.backups.list = async function* (place, prefix) {
      yield* list(place, prefix);
      if (prefix !== "kopia/shop/" || stage.replica.has(late)) return;
      stage.nowAt += 1_000;
      for (const side of ["source", "replica"] as const) stage[side].set(late, { bytes: new Uint8Array(3), lastModifiedAt: stage.source.get(`${folder}velero-backup.json`)?.lastModifiedAt ?? 0, replication: "complete" });
    };
    expect((await later()).choice).toMatchObject({ kind: "chosen", point: { name: newest } });
    stage.replica.delete(late);
    expect((await verify({ by: "run", untilChosen: true, askSource: false })).choice).toMatchObject({ kind: "chosen", point: { name: others[0] }, passedOver: [{ name: newest }] });
  });

  test("a manifest that was changed at home proves nothing", async ({ expect }) => {
    const { verify, later, home, stage } = proving();
    await verify();
    const name = `registers/shop/points/${newest}/manifest.json`;
    await home.put(name, (await home.read(name))?.body.replace('"takenAt":', '"takenAt":1') ?? "");
    put(stage, `backups/${newest}/${newest}.tar.gz`, again);
    expect((await later()).points[0]?.usable).toMatchObject({ kind: "unusable", reason: expect.stringContaining("was changed at home") as string });
  });

  test("a manifest that was changed at home is noticed although nobody has written to the folder; one that was deleted is made anew", async ({ expect }) => {
    const { verify, later, home } = proving();
    await verify();
    const name = `registers/shop/points/${newest}/manifest.json`;
    const before = (await home.read(name))?.body ?? "";
    await home.put(name, before.replace('"takenAt":', '"takenAt":1'));
    const changed = await later();
    expect([changed.points[0]?.usable, changed.open]).toEqual([{ kind: "unusable", reason: expect.stringContaining("was changed at home") as string }, [`tampered ${newest}`]]);
    home.blobs.delete(name);
    const anew = await later();
    expect([anew.points[0]?.usable.kind, anew.open, (await home.read(name)) === null]).toEqual(["usable", [], false]);
  });

  test.for(["{", "null", '{"manifest":{},"sha256":"","seal":{"key":5}}'])("a manifest that holds %s takes its own point the proof, and stops no plan", async (body, { expect }) => {
    const { verify, later, home } = proving();
    await verify();
    await home.put(`registers/shop/points/${newest}/manifest.json`, body);
    const { choice, open } = await later();
    expect([choice.kind === "chosen" && choice.point.name, open]).toEqual([others[0], [`tampered ${newest}`]]);
    expect((await verify({ by: "run", untilChosen: true, askSource: false })).choice).toMatchObject({ kind: "chosen", point: { name: others[0] } });
  });

  test.for(["{", '{"blobs":{"p":5}}'])("a repository's manifest that holds %s is told, and nothing that needs the repository is called proven", async (body, { expect }) => {
    const { verify, later, home } = proving();
    await verify();
    await home.put("registers/shop/repositories/shop.json", body);
    const { choice, points } = await later();
    expect(choice.kind).toBe("nothing-restorable");
    expect(points[0]?.findings.filter(({ ok }) => ok !== true).map(({ about }) => about)[0]).toContain("registers/shop/repositories/shop.json was changed at home: it cannot be read");
    home.blobs.delete("registers/shop/repositories/shop.json");
    expect((await later()).open).toEqual([]);
  });

  test("in a run, a blob that was written again with what it held costs no point its proof, whichever it is", async ({ expect }) => {
    const { verify, stage } = proving();
    await verify();
    put(stage, `backups/${newest}/${newest}-logs.gz`, again);
    expect((await verify({ by: "run", untilChosen: true, askSource: false })).choice).toMatchObject({ kind: "chosen", point: { name: newest } });
    put(stage, `backups/${newest}/${newest}-logs.gz`, flipped);
    expect((await verify({ by: "run", untilChosen: true, askSource: false })).choice).toMatchObject({ kind: "chosen", point: { name: others[0] } });
  });

  test("a blob of another length is changed, and is not read to learn it", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    put(stage, `backups/${newest}/${newest}-logs.gz`, (bytes) => new Uint8Array(bytes.length + 1));
    expect((await later()).open).toContain(`tampered ${newest}`);
    expect(stage.asked.filter((question) => question.startsWith("open ") && question.endsWith("-logs.gz"))).toEqual([]);
  });
});

describe("a container full of what is none of ours", () => {
  test("ten thousand folders without a backup cost one listing; foreign backups are read once, a part at a time", async ({ expect }) => {
    const { verify, later, stage } = proving();
    for (let n = 0; n < 10_000; n++) stage.replica.set(`backups/debris-${n}/log`, { bytes: new Uint8Array(1), lastModifiedAt: stage.nowAt, replication: "complete" });
    for (let n = 0; n < 600; n++) stage.replica.set(`backups/foreign-${n}/velero-backup.json`, { bytes: new TextEncoder().encode("{}"), lastModifiedAt: stage.nowAt + n, replication: "complete" });
    const { choice, points } = await verify();
    expect([choice.kind, points.length]).toEqual(["chosen", 3]);
    const foreign = () => stage.asked.filter((question) => question.startsWith("read stshopneu") && question.includes("/foreign-")).length;
    expect([foreign() <= 500, stage.asked.some((question) => question.includes("debris"))]).toEqual([true, false]);
    await later();
    expect(foreign()).toBeLessThanOrEqual(120);
    await later();
    expect(stage.asked.filter((question) => /^(read|open) /.test(question))).toEqual([]);
  });
});

describe("findings", () => {
  test("open once, stay open, and close when what they were about is mended; the ledger has both", async ({ expect }) => {
    const { verify, later, stage, home } = proving();
    await verify();
    const name = `backups/${newest}/${newest}.tar.gz`;
    const before = stage.replica.get(name);
    put(stage, name, flipped);
    const broken = await later();
    expect(broken.changed.map(({ kind, closedAt }) => [kind, closedAt])).toContainEqual(["tampered", null]);
    expect((await later()).changed).toEqual([]);
    if (before) stage.replica.set(name, before);
    const mended = await later();
    expect(mended.changed.map(({ kind, closedAt }) => [kind, closedAt === stage.nowAt])).toContainEqual(["tampered", true]);
    expect(mended.open).toEqual([]);
    expect(mended.register.points[newest]?.history.map(({ usable }) => usable === "usable")).toEqual([true, false, true]);
    const entries = (await home.list("ledger/shop/findings/")).filter((entry) => entry.includes("-tampered-"));
    expect(entries.map((entry) => entry.split(".").at(-2))).toEqual(["opened", "closed"]);
    expect(JSON.parse((await home.read(entries[0] ?? ""))?.body ?? "{}")).toMatchObject({ kind: "tampered", point: newest, reason: expect.any(String) as string, fact: expect.stringContaining(".tar.gz") as string, remedy: expect.any(String) as string });
  });

  test("a backup on its way is none until its time is up; then it is late, and no longer when it has come", async ({ expect }) => {
    const { stage, home, proof, world } = proving();
    const blob = `backups/${newest}/${newest}.tar.gz`;
    const whole = stage.replica.get(blob);
    stage.replica.delete(blob);
    const atSource = stage.source.get(blob);
    if (atSource) stage.source.set(blob, { ...atSource, replication: "pending" });
    const look = async () => {
      const checked = await checkBackup(world, stage.plan, newest, await readRegister(home, "shop"), { by: "blob", proof });
      const { register } = await mergeIntoRegister(home, stage.plan, checked.register, stage.nowAt);
      return { verdict: checked.verdict.kind, open: openFindings(register.findings).map(({ kind, fact }) => ({ kind, fact })).filter(({ kind }) => kind !== "objective-broken") };
    };
    expect(await look()).toEqual({ verdict: "pending", open: [] });
    expect(stage.asked.filter((question) => question.startsWith("open "))).toEqual([]);
    stage.nowAt += stage.plan.backups.replicationDeadlineSeconds * 1_000;
    expect(await look()).toMatchObject({ verdict: "pending", open: expect.arrayContaining([expect.objectContaining({ kind: "late-replication", fact: expect.stringContaining(".tar.gz") as string })]) as unknown });
    if (whole) stage.replica.set(blob, whole);
    if (atSource) stage.source.set(blob, atSource);
    stage.nowAt += 60_000;
    expect(await look()).toEqual({ verdict: "complete", open: [] });
  });

  test("a backup that is deleted before its time has vanished; one that has expired has not", async ({ expect }) => {
    const { verify, later, stage } = proving();
    await verify();
    for (const side of [stage.replica, stage.source]) for (const name of side.keys()) if (name.startsWith(`backups/${newest}/`)) side.delete(name);
    expect((await later()).open).toContain(`vanished ${newest}`);
    expect((await later()).open).toContain(`vanished ${newest}`);
    stage.nowAt = Date.parse("2026-12-25T00:00:00Z");
    expect((await later()).open.filter((finding) => finding.startsWith("vanished"))).toEqual([]);
  });
});
