/** The bundle that would be deployed, as a process of its own, over the lab's storage and identity: what only the real host and the real clients can show. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { functionKey, startAppHost } from "../../lab/app-host.ts";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import type { HostProcess } from "../../lab/host/process.ts";
import { type LabPair, openPair } from "../../lab/pair-in-a-box.ts";
import { appClient } from "../../lab/run/app-client.ts";
import { labPlan } from "../../lab/run/plans.ts";
import { accounts, blobHost } from "../../lab/world/pair.ts";
import type { Role } from "../../shared/domain/people.ts";
import { availabilityFired, availabilityResolved } from "../domain/alert-samples.ts";

const state = mkdtempSync(path.join(tmpdir(), "lifeboat-bundle-"));
let pair: LabPair;
let host: HostProcess;

beforeAll(async () => {
  pair = await openPair({ topology: "replicated", rate: 20 });
  host = await startAppHost({ pair, stateDirectory: state, topology: "replicated" });
  await appClient(pair, () => host.url).putPlan("shop", await labPlan("shop", "replicated", pair.port));
});
afterAll(async () => {
  await host.kill("SIGTERM");
  await pair.close();
  rmSync(state, { recursive: true, force: true });
});

const alert = async (body: unknown, key = functionKey) => fetch(`${host.url}/api/alerts`, { method: "POST", headers: { "content-type": "application/json", "x-functions-key": key }, body: JSON.stringify(body) });
const ask = async (method: string, route: string, roles: readonly Role[], body?: string) =>
  fetch(`${host.url}/api/${route}`, { method, headers: { authorization: `Bearer ${await pair.people.mintPerson({ name: "Ada Operator", roles })}`, "if-match": '"0"' }, ...(body === undefined ? {} : { body }) });
/** A manual failover by somebody who saw epoch 0. */
const startRun = async (body: object = {}) => (await ask("POST", "runs", ["operator"], JSON.stringify({ plan: "shop", confirm: "shop", reason: "a test of the door", ...body }))).status;
const ours = (sample: typeof availabilityFired | typeof availabilityResolved) => ({ ...sample, data: { ...sample.data, customProperties: { "lifeboat-plan": "shop" } } });

describe("the bundle", () => {
  test("lets in nobody without a key, without a token, without a role", async () => {
    expect((await alert(ours(availabilityFired), "wrong")).status).toBe(401);
    expect((await fetch(`${host.url}/api/plans`)).status).toBe(401);
    expect((await ask("GET", "plans", [])).status).toBe(403);
    expect((await ask("GET", "plans", ["reader"])).status).toBe(200);
  });

  test("refuses what it cannot read, and lists all that is wrong with a plan", async () => {
    expect((await alert({ schemaId: "azureMonitorCommonAlertSchema" })).status).toBe(400);
    const refused = await ask("PUT", "plans/shop", ["operator"], "plan: shop\nprimary: 7\n");
    expect(refused.status).toBe(422);
    expect(((await refused.json()) as { problems: unknown[] }).problems.length).toBeGreaterThan(5);
    expect(await (await ask("GET", "plans", ["reader"])).json()).toMatchObject({ plans: [{ plan: "shop" }], unreadable: [] });
  });

  test("answers a manual failover of an unknown plan and a wrong confirmation", async () => {
    expect(await startRun({ plan: "nobody", confirm: "nobody" })).toBe(404);
    expect(await startRun({ confirm: "shops" })).toBe(412);
  });

  test("opens one run for twenty copies of one alert, over the real ETags of the home account", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, async (_, copy) => alert(ours(copy % 5 === 4 ? availabilityResolved : availabilityFired))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const runs = (await Promise.all(answers.map(async (answer) => ((await answer.json()) as { runs?: { kind: string; runId: string }[] }).runs ?? []))).flat();
    expect(runs.filter(({ kind }) => kind === "opened")).toHaveLength(1);
    expect(new Set(runs.map(({ runId }) => runId))).toEqual(new Set(["shop-1"]));
    // The primary is well: nobody fails over, and a report says so.
    const client = appClient(pair, () => host.url);
    await expect.poll(async () => (await client.run("shop-1"))?.state, { timeout: 10_000, interval: 100 }).toBe("ended");
    expect(await client.run("shop-1")).toMatchObject({ report: { outcome: "not-failed-over", traffic: { before: "westeurope", after: "westeurope" } } });
    expect((await client.plan("shop")).head).toMatchObject({ epoch: 1, run: null });
    // Whoever looked before all this has not seen it.
    expect(await startRun()).toBe(412);
  });

  test("ignores a blob that is not a backup, with a trace, and checks none for it", async () => {
    const store = frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(accounts.source.name)}`, container: "velero" });
    await store.put("backups/holiday-photos/velero-backup.json", Buffer.from("not a backup"));
    await expect.poll(() => host.log.some(({ message }) => message.includes("backup.ignored") && message.includes("holiday-photos") && message.includes("not a backup")), { timeout: 10_000, interval: 50 }).toBe(true);
    expect((await appClient(pair, () => host.url).plan("shop")).register.points["holiday-photos"]).toBeUndefined();
  });
});
