import { describe, expect, test } from "vitest";
import type { Head } from "../../shared/domain/ledger.ts";
import { availabilityFired, availabilityResolved } from "../domain/alert-samples.ts";
import { doors } from "./stage.ts";

const stage = doors();
const { alert, home, plan, log, instances } = stage;

const head = (name = plan()): Head | null => JSON.parse(home.blobs.get(`ledger/${name}/head.json`)?.body ?? "null") as Head | null;
const of = (sample: { readonly data: { readonly essentials: object } }, essentials: Readonly<Record<string, unknown>> = {}, customProperties: Readonly<Record<string, string>> | null = { "lifeboat-plan": plan() }) => ({ ...sample, data: { ...sample.data, essentials: { ...sample.data.essentials, ...essentials }, customProperties } });
const foreign = () => of(availabilityFired, { alertTargetIDs: ["/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000002/resourcegroups/rg/providers/microsoft.insights/components/other"], alertId: "/subscriptions/x/alerts/foreign" }, null);

test("an alert opens no run over a ledger whose newest link is gone: 503, so that it is sent again, and opens one when that is mended", async () => {
  await alert(of(availabilityFired));
  const opened = head();
  const digest = "cd".repeat(32);
  const another = of(availabilityFired, { alertId: "/subscriptions/x/alerts/another" });
  await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...opened, run: null, digest }));
  expect(await alert(another)).toMatchObject({ status: 503, body: { title: "the ledger cannot be believed", detail: expect.stringContaining(`ledger/${plan()}/chain/${digest}.json: the link is missing`) as string } });
  expect(head()).toMatchObject({ epoch: 1, run: null });
  await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...opened, run: null }));
  expect(await alert(another)).toMatchObject({ status: 202, body: { runs: [{ kind: "opened", runId: `${plan()}-2` }] } });
});

describe("an alert", () => {
  test.each([
    ["no", {}],
    ["a wrong", { "x-functions-key": "wrong" }],
  ])("with %s function key is 401, and nothing is read or written", async (_, headers) => {
    const before = home.blobs.size;
    expect((await alert(of(availabilityFired), headers)).status).toBe(401);
    expect(home.blobs.size).toBe(before);
  });

  test("that fired opens a run, once its ledger holds it, and starts it", async () => {
    const answered = await alert(of(availabilityFired));
    expect(answered).toMatchObject({ status: 202, body: { runs: [{ plan: plan(), kind: "opened", runId: `${plan()}-1` }] } });
    expect(head()).toMatchObject({ epoch: 1, run: { id: `${plan()}-1`, door: "alert", by: "ar-ingress-availability-weu" } });
    expect(instances()).toContain(`${plan()}-1`);
  });

  test("is found by its target too, without a custom property", async () => {
    expect(await alert(of(availabilityFired, {}, null))).toMatchObject({ status: 202, body: { runs: [{ plan: plan(), kind: "opened" }] } });
  });

  test.each(["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday"])("that says it fired at %s opens a run like any other: it counts from when it came", async (firedDateTime) => {
    expect(await alert(of(availabilityFired, { firedDateTime }))).toMatchObject({ status: 202, body: { runs: [{ kind: "opened" }] } });
    const openedAt = head()?.run?.openedAt ?? 0;
    expect(openedAt).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(openedAt).toBeLessThan(Date.UTC(2100, 0, 1));
  });

  test("in twenty copies, out of order and mixed with resolved ones, opens one run", async () => {
    const copies = Array.from({ length: 20 }, (_, number) => (number % 4 === 3 ? availabilityResolved : availabilityFired));
    const answers = await Promise.all(copies.toReversed().map(async (copy) => alert(of(copy))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const runs = answers.flatMap(({ body }) => (body["runs"] ?? []) as { kind: string; runId: string }[]);
    expect(runs.filter(({ kind }) => kind === "opened")).toHaveLength(1);
    expect(new Set(runs.map(({ runId }) => runId))).toEqual(new Set([`${plan()}-1`]));
    expect(runs).toHaveLength(15);
    expect(head()).toMatchObject({ epoch: 1, alerts: [{ runId: `${plan()}-1` }] });
  });

  test("of three hundred rules at once, some twice and some resolved, opens one run and is accounted for in a few writes", async () => {
    const storm = Array.from({ length: 300 }, (_, number) => of(number % 10 === 9 ? availabilityResolved : availabilityFired, { alertId: `/subscriptions/x/alerts/${number % 200}` }));
    const answers = await Promise.all(storm.map(async (each) => alert(each)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(head()).toMatchObject({ epoch: 1, run: { id: `${plan()}-1` }, intake: { accepted: 300, started: 1, merged: 269, suppressed: 30, rejected: 0 } });
  });

  test("of another rule, while a run is open, joins it; a later copy of it finds the same run", async () => {
    await alert(of(availabilityFired));
    const other = of(availabilityFired, { alertId: "/subscriptions/x/alerts/second", alertRule: "another" });
    for (let copy = 0; copy < 2; copy++) expect(await alert(other)).toMatchObject({ status: 202, body: { runs: [{ kind: "joined", runId: `${plan()}-1` }] } });
    expect(head()?.alerts).toHaveLength(2);
  });

  test("that is resolved starts nothing", async () => {
    expect(await alert(of(availabilityResolved))).toMatchObject({ status: 202, body: { ignored: expect.stringContaining("resolved") } });
    expect(head()).toMatchObject({ epoch: 0, run: null, intake: { accepted: 1, suppressed: 1 } });
  });

  test("that is malformed is 400, with every reason", async () => {
    expect(await alert("{not json")).toMatchObject({ status: 400, body: { detail: expect.stringContaining("not JSON") } });
    for (const body of [{}, [], "null", { schemaId: "azureMonitorCommonAlertSchema" }, { ...availabilityFired, schemaId: "AzureMonitorMetricAlert" }]) {
      const answered = await alert(body);
      expect(answered, JSON.stringify(body)).toMatchObject({ status: 400, body: { title: "not an alert" } });
      expect(JSON.stringify(answered.body["problems"]).length).toBeGreaterThan(10);
    }
    expect(head()).toBeNull();
  });

  test("that is too large is 413", async () => {
    expect(await alert({ ...of(availabilityFired), padding: "x".repeat(300_000) })).toMatchObject({ status: 413, body: { title: "too large" } });
  });

  test("that is foreign is 202, counted once for its content, and starts nothing", async () => {
    for (let copy = 0; copy < 3; copy++) expect(await alert(foreign())).toMatchObject({ status: 202, body: { ignored: expect.any(String) } });
    expect([...home.blobs.keys()].filter((name) => name.startsWith("alerts/foreign/"))).toHaveLength(1);
    expect(log.some(({ message }) => message.includes("alert.foreign"))).toBe(true);
    expect(head()).toBeNull();
  });

  test("for a plan that is moved already is taken, and says that nothing was started and why", async () => {
    await alert(of(availabilityFired));
    await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: null, active: "secondary", alerts: [], last: { runId: `${plan()}-1`, outcome: "recovered", endedAt: 1 } }));
    expect(await alert(of(availabilityFired, { alertId: "/subscriptions/x/alerts/later" }))).toMatchObject({ status: 202, body: { runs: [{ kind: "refused", why: "already-moved", runId: `${plan()}-1` }] } });
    expect(head()?.epoch).toBe(1);
  });

  /** A recovery in place holds the plan, and an alert was kept for afterwards. */
  async function keptBehindRecovery(): Promise<void> {
    await alert(of(availabilityFired));
    await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: { ...head()?.run, kind: "recovery" }, alerts: [] }));
    for (let copy = 0; copy < 2; copy++) expect(await alert(of(availabilityFired))).toMatchObject({ status: 202, body: { runs: [{ kind: "kept", why: "run-open" }] } });
    expect(head()).toMatchObject({ epoch: 1, alerts: [], pendingAlerts: [{ rule: "ar-ingress-availability-weu" }] });
  }
  const recoveryEnds = async (more: Partial<Head> = {}) => home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: null, ...more }));

  test("of a lost region is not swallowed by a recovery in place that happens to run: the watchdog opens its run when the plan is free", async () => {
    await keptBehindRecovery();
    await stage.watchdog();
    expect(head()?.epoch).toBe(1);
    await recoveryEnds();
    await stage.watchdog();
    expect(head()).toMatchObject({ epoch: 2, pendingAlerts: [], alerts: [{ runId: `${plan()}-2` }], run: { kind: "failover", door: "alert", by: "ar-ingress-availability-weu", reason: expect.stringContaining("when nothing could be started") } });
    expect(instances()).toContain(`${plan()}-2`);
    expect(await alert(of(availabilityFired))).toMatchObject({ body: { runs: [{ kind: "joined", runId: `${plan()}-2` }] } });
  });

  test("that was kept and is resolved meanwhile opens nothing, nor does one for a plan that has moved", async () => {
    await keptBehindRecovery();
    await recoveryEnds({ active: "secondary" });
    await stage.watchdog();
    expect(head()?.epoch).toBe(1);
    await recoveryEnds({ active: "primary" });
    expect((await alert(of(availabilityResolved))).status).toBe(202);
    await stage.watchdog();
    expect(head()).toMatchObject({ epoch: 1, pendingAlerts: [] });
  });

  test("whose run stands still is told of by the watchdog, in its log, with what to do", async () => {
    expect(await alert(of(availabilityFired))).toMatchObject({ body: { runs: [{ kind: "opened" }] } });
    const stalled = () => stage.log.map(({ message }) => message).filter((message) => message.includes("run.stalled"));
    await stage.watchdog();
    expect(stalled()).toEqual([]);
    const [now, longAgo] = [head(), 8 * 3_600_000];
    await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...now, run: now?.run && { ...now.run, openedAt: now.run.openedAt - longAgo, phases: now.run.phases.map((phase) => ({ ...phase, startedAt: phase.startedAt - longAgo, endedAt: phase.endedAt === null ? null : phase.endedAt - longAgo })) } }));
    await stage.watchdog();
    expect(stalled()).toEqual([expect.stringContaining(`/api/runs/${plan()}-1/takeover`)]);
  });

  test("works for the valid plans when another one is broken", async () => {
    await home.put("plans/broken.yaml", "plan: broken\nprimary: 7\n");
    expect(await alert(of(availabilityFired))).toMatchObject({ status: 202, body: { runs: [{ kind: "opened" }] } });
  });

  test("while the ledger cannot be reached is 503 with Retry-After, never 500, and taken when it is sent again", async () => {
    home.reachable = false;
    const refused = await alert(of(availabilityFired));
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    home.reachable = true;
    expect(await alert(of(availabilityFired))).toMatchObject({ status: 202, body: { runs: [{ kind: "opened", runId: `${plan()}-1` }] } });
  });
});
