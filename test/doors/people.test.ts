import { describe, expect, test } from "vitest";
import type { Head, OpenRun } from "../../shared/domain/ledger.ts";
import type { Role } from "../../shared/domain/people.ts";
import { exampleText } from "../domain/example-plans.ts";
import { doors } from "./stage.ts";

const { ask, bearer, home, instances, keyServer, plan, putPlan, startRun } = doors();

const head = (name = plan()): Head | null => JSON.parse(home.blobs.get(`ledger/${name}/head.json`)?.body ?? "null") as Head | null;
const runId = () => `${plan()}-1`;

describe("who comes", () => {
  test("while the issuer's keys cannot be read is told to come again: 503, not 401", async () => {
    const good = keyServer.body;
    keyServer.status = 500;
    const first = await ask("GET", "plans", { headers: await bearer(["reader"]) });
    expect(first.status).toBe(503);
    expect(first.headers.get("retry-after")).toBe("5");
    Object.assign(keyServer, { status: 200, body: "{}" });
    expect((await ask("GET", "plans", { headers: await bearer(["reader"]) })).status).toBe(503);
    keyServer.body = good;
    expect((await ask("GET", "plans", { headers: await bearer(["reader"]) })).status).toBe(200);
  });

  test.each([
    ["nothing", async () => ({})],
    ["something that is no token", async () => ({ authorization: "Bearer abc" }), "it is not a JSON web token"],
    ["a key of another door", async () => ({ "x-functions-key": "doors-test-key-opens-nothing-else" })],
    ["an expired token", () => bearer(["operator"], { lifeSeconds: -3_600 }), "the token is not good: it has expired"],
    ["a token for somebody else", () => bearer(["operator"], { audience: "api://other" }), "it is for another application"],
    ["a token of another issuer", () => bearer(["operator"], { issuer: "https://login.example.com/" }), "it was issued by somebody else"],
    ["a token that begins tomorrow", () => bearer(["operator"], { claims: { nbf: Math.floor(Date.parse("2026-11-22T06:05:00Z") / 1_000) + 86_400 } }), "it is not valid yet"],
    ["a token that somebody else signed", () => bearer(["operator"], { forged: true }), "its signature does not fit"],
    ["an application's token", () => bearer(["operator"], { claims: { idtyp: "app" } })],
    ["an application's token, as Entra gives it without that claim", () => bearer(["operator"], { claims: { scp: undefined, oid: "app-1", sub: "app-1" } })],
  ] satisfies [string, () => Promise<Record<string, string>>, string?][])("with %s is 401 and told why, and starts nothing", async (_, headers, why = "") => {
    const answered = await ask("POST", "runs", { body: { plan: plan(), confirm: plan(), reason: "the region is dark" }, headers: { "if-match": '"0"', ...(await headers()) } });
    expect(answered.status).toBe(401);
    expect(answered.headers.get("www-authenticate")).toBe("Bearer");
    expect(answered.body["detail"]).toContain(why);
    expect(JSON.stringify(answered.body)).not.toContain("ERR_");
    expect(head()).toBeNull();
    for (const route of ["plans", `plans/${plan()}`, "runs/shop-1", "runs/shop-1/report.json"]) expect((await ask("GET", route, { headers: await headers() })).status, route).toBe(401);
  });

  test.each([
    ["reader", "POST", "runs", 403],
    ["approver", "POST", "runs", 403],
    ["operator", "POST", "runs", 202],
    ["reader", "PUT", "plans", 403],
    ["approver", "PUT", "plans", 403],
    ["operator", "PUT", "plans", 200],
  ] satisfies [Role, string, string, number][])("as %s may or may not: %s %s is %i", async (role, method, route, status) => {
    const headers = await bearer([role]);
    const answered = route === "runs" ? await startRun({}, { authorization: headers["authorization"] ?? "" }) : await ask(method, `plans/${plan()}`, { body: home.blobs.get(`plans/${plan()}.yaml`)?.body, headers });
    expect(answered.status).toBe(status);
  });

  const bodies: [string, string][] = [
    ["half a body", "{"],
    ["a body that is too large", "x".repeat(300_000)],
  ];
  test.each(bodies)("is asked who they are before %s is looked at, at every door", async (_, body) => {
    for (const [method, route] of [["POST", "runs"], ["POST", `runs/${runId()}/decisions`], ["POST", `runs/${runId()}/abort`], ["PUT", `plans/${plan()}`]] as const) {
      expect((await ask(method, route, { body })).status, route).toBe(401);
      expect((await ask(method, route, { body, headers: await bearer(["reader"]) })).status, route).toBe(403);
    }
    expect((await ask("POST", "runs", { body, headers: await bearer(["operator"]) })).status).toBe(body === "{" ? 400 : 413);
  });

  test("without any role of ours may do nothing, not even look", async () => {
    expect(await ask("GET", "plans", { headers: await bearer([]) })).toMatchObject({ status: 403, body: { title: "not allowed" } });
    expect((await ask("GET", "plans", { headers: await bearer([], { claims: { roles: ["Global Administrator"] } }) })).status).toBe(403);
  });
});

describe("a manual failover", () => {
  test("is accepted, with its id and link, once the ledger holds it, and started", async () => {
    const answered = await startRun();
    expect(answered).toMatchObject({ status: 202, body: { runId: runId(), link: `/api/runs/${runId()}` } });
    expect(answered.headers.get("location")).toBe(`/api/runs/${runId()}`);
    expect(head()).toMatchObject({ epoch: 1, run: { door: "http", by: "Ada Operator", reason: "the region is dark" } });
    expect(instances()).toContain(runId());
    const { status, body } = await ask("GET", `runs/${runId()}`, { headers: await bearer(["reader"]) });
    expect([status, body]).toMatchObject([200, { state: "open", run: { id: runId() } }]);
    // The addresses by which the durable instance could be managed are handed out nowhere.
    expect(JSON.stringify([answered.body, body])).not.toContain("runtime/webhooks");
  });

  const refusals: [string, Record<string, unknown>, { ifMatch?: string | null }, number, string][] = [
    ["of an unknown plan", { plan: "nobody", confirm: "nobody" }, {}, 404, "there is no valid plan nobody"],
    ["that is not confirmed", { confirm: "shop" }, {}, 412, "must repeat the name of the plan"],
    ["with a stale epoch", {}, { ifMatch: '"7"' }, 412, "is at epoch 0 now"],
    ["without an epoch", {}, { ifMatch: null }, 428, "send the plan's epoch in If-Match"],
    ["with something else for an epoch", {}, { ifMatch: "*" }, 400, "If-Match is *, which fits every state"],
    ["with half a quotation", {}, { ifMatch: '"0' }, 400, 'as 2 or "2"'],
    ["with a weak tag", {}, { ifMatch: 'W/"0"' }, 400, "a weak tag (W/)"],
    ["of an unknown application", { kind: "recovery", applications: ["nothing"] }, {}, 400, "has no nothing"],
    ["of single applications", { applications: ["shop"] }, {}, 400, "leave `applications` out"],
    ["without a reason", { reason: undefined }, {}, 400, "`reason` is missing: add it: why, in a sentence of 3 to 1000 characters"],
    ["with the shortest of reasons", { reason: "x" }, {}, 400, "`reason` must have 3 to 1000 characters, and has 1"],
    ["with a reason that nobody reads", { reason: "x".repeat(5_000) }, {}, 400, "`reason` must have 3 to 1000 characters, and has 5000"],
    ["with something that no run has", { force: true }, {}, 400, "`force` is not a key of the body"],
    ["of a kind that there is not", { kind: "failovr" }, {}, 400, '`kind` cannot be "failovr": did you mean `failover`?'],
  ];
  test.each(refusals)("%s is refused and starts nothing", async (_, body, options, status, said) => {
    expect(await startRun(body, options)).toMatchObject({ status, body: { detail: expect.stringContaining(said) } });
    expect(head()).toBeNull();
    expect(instances()).toEqual([]);
  });

  test("takes the epoch with its quotation marks and without", async () => {
    expect((await startRun({}, { ifMatch: "0" })).status).toBe(202);
  });

  test("that is no object is refused in words", async () => {
    const answered = await ask("POST", "runs", { body: [], headers: await bearer(["operator"]) });
    expect(answered).toMatchObject({ status: 400, body: { title: "not a request for a run", problems: [expect.stringMatching(/^the body must be a group of keys, not a list/)] } });
  });

  test("while a run is open is 409, with its id and link", async () => {
    await startRun();
    expect(await startRun({}, { ifMatch: '"1"' })).toMatchObject({ status: 409, body: { runId: runId(), link: `/api/runs/${runId()}` } });
    expect(head()?.epoch).toBe(1);
  });

  test("by somebody who looked before another one started is 412: they have not seen what is under way", async () => {
    await startRun();
    expect(await startRun()).toMatchObject({ status: 412, body: { epoch: 1 } });
  });

  test("in ten copies at once starts one run", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => startRun()));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([202, ...Array(9).fill(412)]);
    expect(head()?.epoch).toBe(1);
  });

  test("of a plan that was moved is 409, with the run that moved it", async () => {
    await startRun();
    await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: null, active: "secondary", last: { runId: runId(), outcome: "recovered", endedAt: 1 } }));
    for (const kind of ["failover", "recovery"]) expect(await startRun({ kind }, { ifMatch: '"1"' })).toMatchObject({ status: 409, body: { title: "already in the other region", detail: expect.stringContaining(runId()) } });
  });
});

describe("decisions and aborts", () => {
  const decide = async (body: object, roles: Role[] = ["approver"], name = "Grace Approver") => ask("POST", `runs/${runId()}/decisions`, { body, headers: await bearer(roles, { name }) });
  const approve = { verdict: "approve", question: "what-was-shown", reason: "it is really gone" };
  const question = { id: "what-was-shown", about: "decision", askedAt: 0, expiresAt: Date.parse("2030-01-01"), approvalsNeeded: 2, silence: "decline", text: "go?" };
  const putQuestion = async () => home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: { ...head()?.run, question } }));

  test("are taken into the ledger, by name, and acknowledged again when they are sent again", async () => {
    await startRun();
    await putQuestion();
    for (let copy = 0; copy < 2; copy++) expect(await decide(approve)).toMatchObject({ status: 202, body: { taken: "approve" } });
    expect(head()?.run?.decisions).toEqual([expect.objectContaining({ by: "Grace Approver", verdict: "approve", reason: "it is really gone" })]);
    expect(await decide({ ...approve, verdict: "deny" })).toMatchObject({ status: 409, body: { why: "already-decided" } });
  });

  test("of two people of one name count as two, and the answer to one is not the other's", async () => {
    await startRun();
    await putQuestion();
    const other = async () => ask("POST", `runs/${runId()}/decisions`, { body: approve, headers: await bearer(["approver"], { name: "Grace Approver", claims: { oid: "another-grace" } }) });
    expect((await decide(approve)).status).toBe(202);
    expect((await other()).status).toBe(202);
    expect(head()?.run?.decisions).toHaveLength(2);
    const third = await ask("POST", `runs/${runId()}/decisions`, { body: approve, headers: await bearer(["approver"], { name: "Grace Approver", claims: { oid: "a-third-grace" } }) });
    expect(third).toMatchObject({ status: 409, body: { why: "already-decided" } });
  });

  test("name the question that was seen: what is asked by now may be another loss", async () => {
    await startRun();
    await putQuestion();
    expect(await decide({ ...approve, question: undefined })).toMatchObject({ status: 409, body: { why: "other-question", question: "what-was-shown" } });
    expect(await decide({ ...approve, question: "shown-before" })).toMatchObject({ status: 409, body: { why: "other-question", detail: expect.stringContaining("must name the question") as string } });
    expect(head()?.run?.decisions).toEqual([]);
    expect((await decide({ verdict: "deny", reason: "not on my watch" })).status).toBe(202);
  });

  test("are not for whoever asked for the run, whatever roles they have; they may still say no", async () => {
    const both: Role[] = ["operator", "approver"];
    const oid = { claims: { oid: "ada-with-both-roles" } };
    const byAda = await bearer(both, oid);
    expect((await startRun({}, { authorization: byAda["authorization"] ?? "" })).status).toBe(202);
    await putQuestion();
    const say = async (body: object) => ask("POST", `runs/${runId()}/decisions`, { body, headers: await bearer(both, oid) });
    expect(await say(approve)).toMatchObject({ status: 409, body: { why: "requester", detail: expect.stringContaining("somebody else's") as string } });
    expect((await say({ verdict: "deny", reason: "I was wrong" })).status).toBe(202);
  });

  test("need the right: who starts may not approve, who approves may not start, each may say no", async () => {
    await startRun();
    await putQuestion();
    expect((await decide(approve, ["operator"])).status).toBe(403);
    expect((await decide(approve, ["reader"])).status).toBe(403);
    expect((await decide({ ...approve, verdict: "deny" }, ["operator"], "Ken Operator")).status).toBe(202);
  });

  test("are refused without a question, without a run, without a reason", async () => {
    expect((await decide(approve)).status).toBe(404);
    await startRun();
    expect(await decide(approve)).toMatchObject({ status: 409, body: { why: "no-question" } });
    await putQuestion();
    expect(await decide({ verdict: "approve" })).toMatchObject({ status: 400, body: { title: "not a decision", detail: expect.stringContaining("`reason` is missing") as string } });
    expect(await decide({ verdict: "perhaps", reason: "who knows" })).toMatchObject({ status: 400, body: { detail: '`verdict` cannot be "perhaps": choose one of approve, deny' } });
  });

  test("an abort is taken once and acknowledged twice; past the traffic point it is too late", async () => {
    const abort = async (id = runId()) => ask("POST", `runs/${id}/abort`, { body: { reason: "a false alarm" }, headers: await bearer(["operator"]) });
    expect((await abort()).status).toBe(404);
    await startRun();
    const short = await ask("POST", `runs/${runId()}/abort`, { body: { reason: "x" }, headers: await bearer(["operator"]) });
    expect(short).toMatchObject({ status: 400, body: { detail: expect.stringContaining("`reason` must have 3 to 1000 characters, and has 1") as string } });
    for (let copy = 0; copy < 2; copy++) expect(await abort()).toMatchObject({ status: 202, body: { taken: "abort" } });
    expect(head()?.run?.abort).toMatchObject({ by: "Ada Operator", reason: "a false alarm" });
    await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: { ...head()?.run, abort: null, pointsOfNoReturn: { data: null, traffic: 1 } } }));
    expect(await abort()).toMatchObject({ status: 409, body: { title: "too late" } });
    for (const id of ["nothing", "shop-", "../x", "shop-0"]) expect((await abort(encodeURIComponent(id))).status).toBe(404);
  });
});

const take = async ({ id = runId(), ifMatch = '"1"', confirm, roles = ["operator"] }: { readonly id?: string; readonly ifMatch?: string | null; readonly confirm?: string; readonly roles?: Role[] } = {}) =>
  ask("POST", `runs/${id}/takeover`, { body: { confirm: confirm ?? id, reason: "it has stood still for an hour" }, headers: { ...(await bearer(roles)), ...(ifMatch === null ? {} : { "if-match": ifMatch }) } });

describe("a takeover", () => {
  test("opens the next run over one that hangs, whose report says so, and starts it", async () => {
    await startRun();
    expect(await take()).toMatchObject({ status: 202, body: { runId: `${plan()}-2`, tookOver: runId(), link: `/api/runs/${plan()}-2` } });
    expect(head()).toMatchObject({ epoch: 2, run: { id: `${plan()}-2`, by: "Ada Operator", takenOver: { runId: runId(), fenced: false } }, last: { runId: runId(), outcome: "halted" } });
    expect(instances()).toContain(`${plan()}-2`);
    const { body } = await ask("GET", `runs/${runId()}`, { headers: await bearer(["reader"]) });
    expect(body).toMatchObject({ state: "ended", report: { outcome: "halted", summary: expect.stringContaining("taken over by Ada Operator") as string } });
  });

  test.each([
    ["of no open run", { id: "shop-99" }, 404, "is not open"],
    ["that is not confirmed", { confirm: "shop" }, 412, "must repeat the id of the run"],
    ["by somebody who saw another epoch", { ifMatch: '"0"' }, 412, "look again"],
    ["without an epoch", { ifMatch: null }, 428, "send the plan's epoch"],
    ["by somebody who may only approve", { roles: ["approver"] as Role[] }, 403, "has no role"],
  ])("%s changes nothing", async (_, asked, status, said) => {
    await startRun();
    const before = head();
    expect(await take(asked)).toMatchObject({ status, body: { detail: expect.stringContaining(said) as string } });
    expect(head()).toEqual(before);
  });

  test("asked for twice opens one run: the second one saw what is gone", async () => {
    await startRun();
    const answers = await Promise.all([take(), take()]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([202, expect.any(Number)]);
    expect(head()?.epoch).toBe(2);
  });
});

test("a ledger that was changed by hand is believed in nothing: 503, and the first thing that is wrong with it", async () => {
  await startRun();
  await home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), run: { ...head()?.run, decisions: [{ about: "decision", verdict: "approve", by: "nobody" }] } }));
  for (const [method, route, body] of [["GET", `plans/${plan()}`], ["GET", `runs/${runId()}`], ["POST", `runs/${runId()}/abort`, { reason: "a false alarm" }]] as const)
    expect(await ask(method, route, { body, headers: await bearer(["operator"]) }), route).toMatchObject({ status: 503, body: { title: "the ledger cannot be believed", detail: expect.stringMatching(/head\.json: run\.decisions\.0\.question: /) as string } });
});

describe("a ledger whose newest link was changed or lost", () => {
  const digest = "ab".repeat(32);
  const link = () => `ledger/${plan()}/chain/${digest}.json`;
  const broken = (change: Partial<Head>) => home.put(`ledger/${plan()}/head.json`, JSON.stringify({ ...head(), digest, ...change }));
  const refused = () => ({ status: 503, body: { title: "the ledger cannot be believed", detail: expect.stringContaining(`${link()}: the link is missing`) as string } });

  test("opens no run, and says which", async () => {
    await startRun();
    await broken({ run: null });
    const before = head();
    expect(await startRun({}, { ifMatch: '"1"' })).toMatchObject(refused());
    expect(head()).toEqual(before);
    expect(instances()).not.toContain(`${plan()}-2`);
  });

  test("lets no run be taken over and takes no yes; a no is taken, and an abort", async () => {
    await startRun();
    const at = head()?.run?.openedAt ?? 0;
    const question = { id: "q", about: "decision", askedAt: at, expiresAt: at + 86_400_000_000, approvalsNeeded: 1, silence: "decline", text: "go?" } as const;
    await broken({ run: { ...(head()?.run as OpenRun), question } });
    expect(await take()).toMatchObject(refused());
    const decide = async (verdict: string) => ask("POST", `runs/${runId()}/decisions`, { body: { verdict, question: "q", reason: "I looked" }, headers: await bearer(["approver"], { name: "Grace Approver" }) });
    expect(await decide("approve")).toMatchObject(refused());
    expect((await decide("deny")).status).toBe(202);
    expect((await ask("POST", `runs/${runId()}/abort`, { body: { reason: "a false alarm" }, headers: await bearer(["operator"]) })).status).toBe(202);
  });
});

describe("plans", () => {
  test("are listed with where they stand, and one by one with their epoch as ETag", async () => {
    const headers = await bearer(["reader"]);
    expect(await ask("GET", "plans", { headers })).toMatchObject({ status: 200, body: { plans: [{ plan: plan(), epoch: 0, active: "primary", openRun: null, topology: "replicated" }], unreadable: [] } });
    await startRun();
    const one = await ask("GET", `plans/${plan()}`, { headers });
    expect(one.headers.get("etag")).toBe('"1"');
    expect(one.body).toMatchObject({ plan: { plan: plan() }, head: { epoch: 1 } });
    expect((await ask("GET", "plans/nobody", { headers })).status).toBe(404);
  });

  test("that are invalid are refused with all their problems, and the old version stays", async () => {
    const before = home.blobs.get(`plans/${plan()}.yaml`)?.body;
    const broken = exampleText("shop-replicated").replace("plan: shop\n", `plan: ${plan()}\n`).replace("topology: replicated", "topology: magic").replace("provenFrom: readable", "provenFrom: hoped");
    const answered = await ask("PUT", `plans/${plan()}`, { body: broken, headers: await bearer(["operator"]) });
    expect(answered).toMatchObject({ status: 422, body: { detail: expect.stringContaining("nothing was changed") } });
    expect((answered.body["problems"] as unknown[]).length).toBeGreaterThanOrEqual(2);
    expect(home.blobs.get(`plans/${plan()}.yaml`)?.body).toBe(before);
    expect((await ask("PUT", "plans/other", { body: before, headers: await bearer(["operator"]) })).status).toBe(422);
  });

  test("that switch what another plan switches are refused, and nothing is kept", async () => {
    const till = exampleText("shop-replicated").replace("plan: shop\n", "plan: till\n");
    expect(await ask("PUT", "plans/till", { body: till, headers: await bearer(["operator"]) })).toMatchObject({ status: 409, body: { detail: expect.stringContaining(`plan ${plan()} switches the profile`), problems: expect.arrayContaining([expect.objectContaining({ path: "applications" })]) } });
    expect(home.blobs.get("plans/till.yaml")).toBeUndefined();
  });

  test("that are not UTF-8 are refused, and the old version stays", async () => {
    const before = home.blobs.get(`plans/${plan()}.yaml`)?.body ?? "";
    const latin = Buffer.from(before.replace("Web shop", "Webgeschäft"), "latin1");
    expect(await ask("PUT", `plans/${plan()}`, { body: latin, headers: await bearer(["operator"]) })).toMatchObject({ status: 422, body: { title: "not UTF-8" } });
    expect(home.blobs.get(`plans/${plan()}.yaml`)?.body).toBe(before);
    expect((await ask("PUT", `plans/${plan()}`, { body: Buffer.from(latin.toString("latin1")), headers: await bearer(["operator"]) })).status).toBe(200);
  });

  test("that are broken at home are told of, and keep no other from working", async () => {
    await putPlan("broken", (text) => text.replace("topology: replicated", "topology: magic"));
    expect(await ask("GET", "plans", { headers: await bearer(["reader"]) })).toMatchObject({ status: 200, body: { plans: [{ plan: plan() }], unreadable: [{ file: "plans/broken.yaml", problems: [expect.anything()] }] } });
    expect((await startRun({ plan: "broken", confirm: "broken" })).status).toBe(404);
    expect((await startRun()).status).toBe(202);
  });

  test("that are nonsense, or too large, are refused and not taken for hours of reading", async () => {
    for (const body of ["", "\t\0", "[".repeat(10_000), "a: &a [*a]", `plan: ${plan()}\nabout: ${"x".repeat(2_000_000)}\n`]) expect((await ask("PUT", `plans/${plan()}`, { body: body || " ", headers: await bearer(["operator"]) })).status).toBe(422);
  });
});

describe("a run that has ended", () => {
  test("is answered by its report, in each of its forms and in no other", async () => {
    const headers = await bearer(["reader"]);
    for (const [form, body] of [["report.json", '{"runId":"x-1"}'], ["report.md", "# x"], ["report.html", "<p>x"]] as const) await home.put(`reports/x-1/${form}`, body);
    expect(await ask("GET", "runs/x-1", { headers })).toMatchObject({ status: 200, body: { state: "ended", report: { runId: "x-1" } } });
    expect((await ask("GET", "runs/x-1/report.json", { headers })).headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const route of ["runs/x-2", "runs/nothing", "runs/x-1/report.pdf", "runs/x-1/..%2F..%2Fplans"]) expect((await ask("GET", route, { headers })).status, route).toBe(404);
  });
});

test("while our own account is out of reach every door is 503 with Retry-After, never 500", async () => {
  const asked = async (): Promise<number[]> => {
    const headers = await bearer(["operator", "approver"]);
    const reason = { reason: "because it is" };
    const answers = await Promise.all([
      startRun(),
      ask("GET", "plans", { headers }),
      ask("GET", `plans/${plan()}`, { headers }),
      ask("PUT", `plans/${plan()}`, { body: exampleText("shop-replicated").replace("plan: shop\n", `plan: ${plan()}\n`), headers }),
      ask("GET", `runs/${runId()}`, { headers }),
      ask("GET", `runs/${runId()}/report.json`, { headers }),
      ask("POST", `runs/${runId()}/decisions`, { body: { verdict: "deny", ...reason }, headers }),
      ask("POST", `runs/${runId()}/abort`, { body: reason, headers }),
    ]);
    expect(answers.every(({ status, headers: given }) => status !== 503 || given.get("retry-after") === "5")).toBe(true);
    return answers.map(({ status }) => status);
  };
  home.reachable = false;
  expect(await asked()).toEqual(Array(8).fill(503));
  home.reachable = true;
  expect(await asked()).not.toContain(503);
});
