import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "vitest";
import { readRegister } from "../../functions/activities/register.ts";
import { listOne, shapeOf } from "../../functions/activities/restore-points/look-over.ts";
import { openRecords } from "../../functions/activities/restore-points/records.ts";
import { canonicalJson } from "../../shared/domain/canonical-json.ts";
import { type Seal, WorldError } from "../../shared/ports.ts";
import { openFileSeal } from "../../shared/seal-file.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import { again, flipped, newest, others, proving, put } from "./proving.ts";

describe("a manifest that is signed", () => {
  const keyFile = (type: "ed25519" | "x25519" = "ed25519") => {
    const { privateKey } = type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519");
    const file = path.join(mkdtempSync(path.join(tmpdir(), "lifeboat-seal-")), "key.pem");
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
    return file;
  };

  test("holds while it is what was signed; one that somebody wrote anew with a fitting digest does not", async ({ expect }) => {
    const { verify, home, proof } = proving();
    const seal = openFileSeal(keyFile());
    const signed = openRecords(home, "shop", seal);
    await verify({ proof: { ...proof, records: signed } });
    const kept = await signed.manifest(newest);
    expect(kept?.seal).toMatchObject({ key: expect.stringMatching(/^ed25519:[0-9a-f]{16}$/) as string });
    if (kept === null) return;
    // Who may write to home can make the digest fit; not the signature.
    const manifest = { ...kept.manifest, takenAt: 1 };
    const sha256 = createHash("sha256").update(canonicalJson(manifest)).digest("hex");
    await home.put(`registers/shop/points/${newest}/manifest.json`, JSON.stringify({ manifest, sha256, seal: kept.seal }));
    await expect(signed.manifest(newest)).rejects.toThrow("its signature is not one of ed25519:");
    await home.put(`registers/shop/points/${newest}/manifest.json`, JSON.stringify({ manifest, sha256, seal: null }));
    await expect(signed.manifest(newest)).rejects.toThrow("it is not signed");
    const another = openFileSeal(keyFile());
    expect([await seal.verify(kept.sha256, kept.seal ?? { key: "", signature: "" }), await another.verify(kept.sha256, kept.seal ?? { key: "", signature: "" })]).toEqual([true, false]);
  });

  test("proves a folder that is what was signed, whatever somebody wrote into the register", async ({ expect }) => {
    const { verify, stage, home, proof, world } = proving();
    const signed = { proof: { ...proof, records: openRecords(home, "shop", openFileSeal(keyFile())) } };
    await verify(signed);
    put(stage, `backups/${newest}/${newest}.tar.gz`, flipped);
    // Who may write to home can say of the changed folder that it was read and found whole.
    const folder = await listOne(world, placesOf(stage.plan).replica, newest);
    const register = await readRegister(home, "shop");
    const point = register.points[newest];
    if (point?.read == null) throw new Error("it was not read through");
    await home.put("registers/shop/restore-points.json", JSON.stringify({ ...register, points: { ...register.points, [newest]: { ...point, read: { ...point.read, shape: shapeOf(folder) } } } }));
    expect((await verify({ ...signed, by: "run", untilChosen: true, askSource: false })).choice).toMatchObject({ kind: "chosen", point: { name: others[0] } });
  });

  test("whose key does not answer is asked for once in a look, not for each point", async ({ expect }) => {
    const { verify, home, proof } = proving();
    const seal = openFileSeal(keyFile());
    const asked = { count: 0 };
    const records = (of: Partial<Seal>) => ({ proof: { ...proof, records: openRecords(home, "shop", { ...seal, ...of }) } });
    await verify(records({}));
    const { carried } = await verify(records({ verify: () => ((asked.count += 1), Promise.reject(new WorldError("read key", "the vault", "no answer within 10 s"))) }));
    expect([carried.size, asked.count]).toEqual([3, 1]);
    // Another version of the key may answer all the same.
    const name = `registers/shop/points/${newest}/manifest.json`;
    await home.put(name, (await home.read(name))?.body.replace(/"key":"[^"]+"/, '"key":"an older one"') ?? "");
    asked.count = 0;
    await verify(records({ verify: () => ((asked.count += 1), Promise.reject(new WorldError("read key", "the vault", "no answer within 10 s"))) }));
    expect(asked.count).toBe(2);
  });

  test("that nobody can check keeps no failover waiting, and is told; one that cannot be made is made at the next look", async ({ expect }) => {
    const { verify, stage, home, proof } = proving();
    const seal = openFileSeal(keyFile());
    const dark = () => Promise.reject(new WorldError("read key", "the vault", "no answer within 10 s"));
    const signing = (of: Partial<Seal>) => ({ proof: { ...proof, records: openRecords(home, "shop", { ...seal, ...of }) } });
    const unsigned = await verify(signing({ sign: dark }));
    expect([unsigned.choice.kind, await openRecords(home, "shop", seal).manifest(newest)]).toEqual(["chosen", null]);
    // As long as there is none a change would not be seen: that is told of each.
    expect([unsigned.open, Object.values(unsigned.register.findings)[0]?.fact]).toEqual([[newest, ...others].map((name) => `unknown ${name}`).toSorted(), expect.stringContaining("its manifest could not be kept, so a later change of it would not be seen: read key on the vault: no answer within 10 s")]);
    stage.nowAt += 1_000;
    expect((await verify(signing({}))).open).toEqual([]);
    // Written again with what it held: it is looked into anew.
    put(stage, `backups/${newest}/${newest}-logs.gz`, again);
    const { choice, points } = await verify(signing({ verify: dark }));
    expect(choice).toMatchObject({ kind: "chosen", point: { name: newest } });
    expect(points[0]?.findings.filter(({ ok }) => ok === "unknown")).toEqual([{ level: "manifest", rung: "asserted", ok: "unknown", about: expect.stringContaining("its signature could not be checked: read key on the vault") as string }]);
  });

  test("needs a key that is there and of the right kind, and the reason never shows what the file holds", ({ expect }) => {
    expect(() => openFileSeal("/nowhere/key.pem")).toThrow("/nowhere/key.pem, cannot be read: ENOENT");
    expect(() => openFileSeal(keyFile("x25519"))).toThrow("is no Ed25519 key");
    const scribble = path.join(mkdtempSync(path.join(tmpdir(), "lifeboat-seal-")), "key.pem");
    writeFileSync(scribble, "correct horse");
    expect(() => openFileSeal(scribble)).toThrow(/cannot be read/);
    expect(() => openFileSeal(scribble)).not.toThrow(/horse/);
  });
});
