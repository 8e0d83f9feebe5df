import { describe, expect, test } from "vitest";
import { placesOf } from "../../shared/domain/replica.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { runProgram } from "../../cli/program.ts";
import { recordedContainer } from "../restore-points/store.ts";
import { doors } from "./stage.ts";

const { ask, bearer, plan, put, home, state, url } = doors();
const newest = "shop-hourly-20261121055825";
const places = placesOf(examplePlan("shop-replicated"));

/** The plan is put, which verifies it in the background. */
async function verified(): Promise<void> {
  const body = home.blobs.get(`plans/${plan()}.yaml`)?.body;
  expect((await ask("PUT", `plans/${plan()}`, { body, headers: await bearer(["operator"]) })).status).toBe(200);
  for (const until = Date.now() + 10_000; !home.blobs.has(`registers/${plan()}/restore-points.json`); await new Promise((resolve) => setTimeout(resolve, 20))) if (Date.now() > until) throw new Error("nobody verified");
}
const told = async (route = "") => ask("GET", `plans/${plan()}/restore-points${route}`, { headers: await bearer(["reader"]) });

describe("GET /api/plans/{plan}/restore-points", () => {
  test("says which point is proven, and one point with its evidence", async () => {
    for (const place of [places.replica, places.source]) for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) put(place, name, bytes, lastModifiedAt);
    await verified();
    const { status, body } = await told();
    expect(status).toBe(200);
    expect(body).toMatchObject({ newestProven: { name: newest, reached: "readable" }, objective: { state: "kept" }, passedOver: [], provenFrom: "readable" });
    expect((body["points"] as { name: string; proven: boolean }[]).map(({ name, proven }) => [name.endsWith("25"), proven])).toEqual([[true, true], [false, true], [false, true]]);
    // The secondary of this world is empty, and the verification looks there too; nothing else is wrong.
    expect((body["findings"] as { kind: string }[]).map(({ kind }) => kind).filter((kind) => !kind.startsWith("missing-"))).toEqual([]);
    const one = await told(`/${newest}`);
    expect(one.body).toMatchObject({ name: newest, proven: true, manifest: expect.stringMatching(/^[0-9a-f]{64}$/) as string, history: [{ reached: "readable", usable: "usable" }], repositories: ["shop"] });
    const { evidence, blobs } = one.body as { evidence: { level: string; read: string[]; ok: boolean; at: number; expiresAt: number; planHash: string }[]; blobs: { name: string; sha256: string; etag: string }[] };
    // Each says from what it was read, and each of those blobs is there with its digest.
    expect(evidence.find(({ level }) => level === "L4")?.read).toEqual([`${newest}.tar.gz`, `${newest}-resource-list.json.gz`]);
    expect(evidence.every(({ read }) => read.length > 0 && read.every((file) => blobs.some(({ name }) => name === file)))).toBe(true);
    expect(new Set(evidence.map(({ level }) => level))).toEqual(new Set(["L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8"]));
    expect(evidence.every(({ ok, at, expiresAt, planHash }) => ok && expiresAt > at && planHash.length === 64)).toBe(true);
    expect(blobs.every(({ sha256, etag }) => sha256.length === 64 && etag !== "")).toBe(true);
  });

  test("is what the command line shows", async () => {
    for (const place of [places.replica, places.source]) for (const [name, { bytes, lastModifiedAt }] of recordedContainer()) put(place, name, bytes, lastModifiedAt);
    await verified();
    const said: string[] = [];
    const token = ((await bearer(["reader"]))["authorization"] ?? "").replace("Bearer ", "");
    const lifeboat = async (...args: string[]) => runProgram(["restore-points", plan(), ...args, "--app", url(), "--token", "-"], { out: (line) => said.push(line), err: (line) => said.push(line), read: () => token, list: () => [], colour: false });
    expect([await lifeboat(), await lifeboat(newest), await lifeboat("never-seen")]).toEqual([0, 0, 2]);
    expect(said.join("\n")).toMatch(new RegExp(`objective kept: the newest that is proven is ${newest} [^]*\nproven  ${newest} [^]*\n  yes     L8: [^]*no such restore point`));
  });

  test("tells of a plan without a single backup that its objective is broken, with a remedy", async () => {
    state.blobs.clear();
    await verified();
    expect((await told()).body).toMatchObject({ newestProven: null, objective: { state: "broken" }, findings: [{ kind: "objective-broken", reason: expect.any(String) as string, fact: expect.any(String) as string, remedy: expect.any(String) as string, closedAt: null }] });
  });

  test("of a plan that nobody has verified yet, nothing is called kept", async () => {
    expect((await told()).body).toMatchObject({ newestProven: null, objective: { state: "unknown" }, findings: [], points: [] });
  });

  test("is for those who may read, of plans and points that there are", async () => {
    expect((await ask("GET", `plans/${plan()}/restore-points`)).status).toBe(401);
    expect((await ask("GET", "plans/nobody/restore-points", { headers: await bearer(["reader"]) })).status).toBe(404);
    expect((await told("/never-seen")).body).toMatchObject({ title: "no such restore point" });
    expect((await told("/..%2f..%2fhead")).status).toBe(404);
    expect((await told("/constructor")).status).toBe(404);
  });
});
