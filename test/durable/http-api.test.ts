import { OrchestrationRuntimeStatus } from "durable-functions";
import { describe, expect, test } from "vitest";
import { stage, type Run } from "./stage.ts";

const { orchestration, activity, open } = stage();

activity("greet", (name: string) => `hello ${name}`);
orchestration("greeting", function* (context) {
  return yield context.df.callActivity("greet", context.df.getInput());
});
orchestration("waiting", function* (context) {
  return yield context.df.waitForExternalEvent("go");
});
orchestration("failing", function* () {
  yield* [];
  throw new Error("no luck");
});
orchestration("told", function* (context) {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 60_000));
  return context.df.getInput() ?? "nothing";
});

const json = { "content-type": "application/json" };

async function served(options: Parameters<typeof open>[0] = {}) {
  const run = await open(options);
  const { url, client } = await run.serve();
  const call = (path: string, init?: RequestInit) => fetch(`${url}/runtime/webhooks/durabletask/${path}`, init);
  const post = (path: string, body?: string, headers = json) => call(path, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
  return { ...run, url, client, call, post };
}

describe("starting", () => {
  test("answers 202 with the id and every management URL, Location and Retry-After", async () => {
    const { post, url } = await served({ taskHub: "Hub", code: "made-up-key" });
    const answer = await post("orchestrators/greeting/g-1?code=made-up-key", '"Ann"');
    expect(answer.status).toBe(202);
    const payload = (await answer.json()) as Record<string, string>;
    const query = "taskHub=Hub&connection=Storage&code=made-up-key";
    expect(payload).toMatchObject({
      id: "g-1",
      statusQueryGetUri: `${url}/runtime/webhooks/durabletask/instances/g-1?${query}`,
      sendEventPostUri: `${url}/runtime/webhooks/durabletask/instances/g-1/raiseEvent/{eventName}?${query}`,
      terminatePostUri: `${url}/runtime/webhooks/durabletask/instances/g-1/terminate?reason={text}&${query}`,
      restartPostUri: `${url}/runtime/webhooks/durabletask/instances/g-1/restart?${query}`,
    });
    expect(answer.headers.get("location")).toBe(payload.statusQueryGetUri);
    expect(answer.headers.get("retry-after")).toBe("10");
  });

  test("makes an id when none is given", async () => {
    const { client, ended } = await served();
    const id = await client.startNew("greeting", { input: "Ann" });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await ended(id)).output).toBe('"hello Ann"');
  });

  test("an unknown function is 400, and an activity is no orchestrator", async () => {
    const { post } = await served();
    expect((await post("orchestrators/nobody", "1")).status).toBe(400);
    expect((await post("orchestrators/greet", "1")).status).toBe(400);
  });

  test("a body that is not JSON is 400", async () => {
    const { post } = await served();
    expect((await post("orchestrators/greeting", "{oops")).status).toBe(400);
  });

  test("an id of a live instance is refused, and the client rejects", async () => {
    const { client, post, row, engine } = await served();
    await client.startNew("waiting", { instanceId: "lock" });
    await engine.idle();
    const { executionId } = row("lock");
    expect((await post("orchestrators/waiting/lock", "1")).status).toBe(409);
    await expect(client.startNew("waiting", { instanceId: "lock" })).rejects.toThrow(/already exists/);
    expect(row("lock").executionId).toBe(executionId);
  });

  test("an id of a finished instance is used again, and its history goes", async () => {
    const { client, ended, engine } = await served();
    await ended(await client.startNew("greeting", { instanceId: "again", input: "Ann" }));
    const events = engine.history("again").length;
    expect((await ended(await client.startNew("greeting", { instanceId: "again", input: "Bob" }))).output).toBe('"hello Bob"');
    expect(engine.history("again")).toHaveLength(events);
  });

  test.each(["%40entity", "a%2Fb", "a%5Cb", "a%23b", "a%3Fb", "a%0Ab"])("the id %s is refused with 400", async (id) => {
    const { post } = await served();
    expect((await post(`orchestrators/greeting/${id}`, "1")).status).toBe(400);
  });

  test("an id may have 256 characters and not one more", async () => {
    const { post } = await served();
    expect((await post(`orchestrators/waiting/${"x".repeat(256)}`, "1")).status).toBe(202);
    expect((await post(`orchestrators/waiting/${"x".repeat(257)}`, "1")).status).toBe(400);
  });

  test("startNew without input gives the empty string, as the client posts two quotes", async () => {
    const { client, ended } = await served();
    expect((await ended(await client.startNew("told"))).output).toBe('""');
  });
});

describe("status of one", () => {
  test("is 202 with Location and Retry-After while it lives, and 200 when it ended", async () => {
    const { call, start, ended, row, raise } = await served();
    start("waiting", { a: 1 }, "w");
    expect(row("w").status).toBe("Pending");
    const alive = await call("instances/w");
    expect([alive.status, alive.headers.get("retry-after")]).toEqual([202, "5"]);
    expect(alive.headers.get("location")).toContain("/instances/w");
    expect(await alive.json()).toMatchObject({ runtimeStatus: "Running", input: { a: 1 }, output: null, customStatus: null });
    raise("w", "go", [1]);
    await ended("w");
    const done = await call("instances/w");
    expect(done.status).toBe(200);
    expect(await done.json()).toEqual({
      name: "waiting",
      instanceId: "w",
      runtimeStatus: "Completed",
      input: { a: 1 },
      output: [1],
      customStatus: null,
      createdTime: "2026-11-21T06:05:00Z",
      lastUpdatedTime: "2026-11-21T06:05:00Z",
    });
  });

  test("is 404 for an unknown id, which the client tells as such", async () => {
    const { call, client } = await served();
    expect((await call("instances/nobody")).status).toBe(404);
    await expect(client.getStatus("nobody")).rejects.toThrow(/404/);
  });

  test("is 200 for a failed one, and 500 only when asked for", async () => {
    const { call, start, ended } = await served();
    await ended(start("failing", null, "f"));
    const plain = await call("instances/f");
    expect(plain.status).toBe(200);
    expect(await plain.json()).toMatchObject({ runtimeStatus: "Failed", output: "Orchestrator function 'failing' failed: no luck" });
    expect((await call("instances/f?returnInternalServerErrorOnFailure=true")).status).toBe(500);
  });

  test("leaves the input out when told to, and keeps the member", async () => {
    const { call, start } = await served();
    start("waiting", { a: 1 }, "w");
    expect(await (await call("instances/w?showInput=false")).json()).toMatchObject({ input: null });
  });

  test("shows the history with names, scheduling folded into completions, and results only when asked for", async () => {
    const { call, start, ended } = await served();
    await ended(start("greeting", "Ann", "g"));
    const historyOf = async (query: string) => ((await (await call(`instances/g?showHistory=true${query}`)).json()) as { historyEvents: object[] }).historyEvents;
    const plain = await historyOf("");
    expect(plain).toMatchObject([
      { EventType: "ExecutionStarted", Name: "greeting" },
      { EventType: "TaskCompleted", FunctionName: "greet", ScheduledTime: "2026-11-21T06:05:00.000Z" },
      { EventType: "ExecutionCompleted", OrchestrationStatus: "Completed" },
    ]);
    for (const row of plain) expect(Object.keys(row)).not.toEqual(expect.arrayContaining(["Result"]));
    expect(JSON.stringify(plain)).not.toMatch(/EventId|IsPlayed|TaskScheduledId|TimerId|"leaf"|attempt/);
    expect(await historyOf("&showHistoryOutput=true")).toMatchObject([{}, { Result: '"hello Ann"', Input: '["\\"Ann\\""]' }, { Result: '"hello Ann"' }]);
  });

  test("the client reads it", async () => {
    const { client, start, ended } = await served();
    await ended(start("greeting", "Ann", "g"));
    expect(await client.getStatus("g")).toMatchObject({ runtimeStatus: OrchestrationRuntimeStatus.Completed, output: "hello Ann", input: "Ann" });
  });
});

describe("status of many", () => {
  async function five() {
    const run = await served();
    for (const id of ["a-1", "a-2", "b-1"]) await run.ended(run.start("greeting", "x", id));
    run.clock.advance(3_600_000);
    await run.ended(run.start("failing", null, "b-2"));
    run.start("waiting", null, "c-1");
    await run.engine.idle();
    const ids = async (query: string) => ((await (await run.call(`instances/?${query}`)).json()) as { instanceId: string }[]).map(({ instanceId }) => instanceId);
    return { ...run, ids };
  }

  test("is filtered by status, several with commas, whatever their case", async () => {
    const { ids } = await five();
    expect(await ids("runtimeStatus=Failed")).toEqual(["b-2"]);
    expect(await ids("runtimeStatus=failed,Running")).toEqual(["b-2", "c-1"]);
  });

  test("is filtered by prefix and by the time of creation", async () => {
    const { ids } = await five();
    expect(await ids("instanceIdPrefix=a-")).toEqual(["a-1", "a-2"]);
    expect(await ids("createdTimeFrom=2026-11-21T06:30:00Z")).toEqual(["b-2", "c-1"]);
    expect(await ids("createdTimeTo=2026-11-21T06:30:00Z")).toEqual(["a-1", "a-2", "b-1"]);
  });

  test("comes in pages, by a header both ways", async () => {
    const { call } = await five();
    const pages: string[][] = [];
    let token: string | null = "";
    do {
      const page: Response = await call("instances/?top=2", { headers: { "x-ms-continuation-token": token } });
      pages.push(((await page.json()) as { instanceId: string }[]).map(({ instanceId }) => instanceId));
      token = page.headers.get("x-ms-continuation-token");
    } while (token !== null);
    expect(pages).toEqual([["a-1", "a-2"], ["b-1", "b-2"], ["c-1"]]);
  });

  test("the client follows the pages of more than a hundred", async () => {
    const { client, start } = await served();
    for (let index = 0; index < 230; index++) start("waiting", null, `w-${index}`);
    expect(await client.getStatusAll()).toHaveLength(230);
    expect(await client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Completed] })).toEqual([]);
  });

  test("a top that is no number above zero is 400", async () => {
    const { call } = await served();
    expect((await call("instances/?top=0")).status).toBe(400);
  });
});

describe("raising an event", () => {
  test("is 202, and the orchestrator gets it", async () => {
    const { client, start, ended } = await served();
    start("waiting", null, "w");
    await client.raiseEvent("w", "go", { yes: true });
    expect((await ended("w")).output).toBe('{"yes":true}');
  });

  test("is 404 for an unknown instance and 410 for a finished one, which the client takes for success", async () => {
    const { client, post, start, ended } = await served();
    await ended(start("greeting", "x", "g"));
    expect((await post("instances/nobody/raiseEvent/go", "1")).status).toBe(404);
    expect((await post("instances/g/raiseEvent/go", "1")).status).toBe(410);
    await expect(client.raiseEvent("g", "go", 1)).resolves.toBeUndefined();
  });

  test("is 400 for an empty or broken body, and for one that is not JSON by its type", async () => {
    const { client, post, start } = await served();
    start("waiting", null, "w");
    expect((await post("instances/w/raiseEvent/go", "{oops")).status).toBe(400);
    expect((await post("instances/w/raiseEvent/go", "1", { "content-type": "text/plain" })).status).toBe(400);
    await expect(client.raiseEvent("w", "go", undefined)).rejects.toThrow(/400/);
  });
});

describe("terminate, suspend and resume", () => {
  test.each(["terminate", "suspend", "resume"])("%s is 202, 404 for an unknown instance, 410 for a finished one", async (what) => {
    const { post, start, ended } = await served();
    start("waiting", null, "w");
    await ended(start("greeting", "x", "g"));
    expect((await post(`instances/w/${what}?reason=test`)).status).toBe(202);
    expect((await post(`instances/nobody/${what}?reason=test`)).status).toBe(404);
    expect((await post(`instances/g/${what}?reason=test`)).status).toBe(410);
  });

  test("terminate ends the instance with the reason as its output", async () => {
    const { client, start, ended } = await served();
    start("waiting", null, "w");
    await client.terminate("w", "enough");
    expect(await ended("w")).toMatchObject({ status: "Terminated", output: "enough" });
  });

  test("a suspended instance keeps its events until it is resumed", async () => {
    const { client, start, row, raise, engine, ended, call } = await served();
    start("waiting", null, "w");
    await client.suspend("w", "hold");
    raise("w", "go", 5);
    await engine.idle();
    expect(row("w").status).toBe("Suspended");
    expect((await call("instances/w")).status).toBe(202);
    await client.resume("w", "go on");
    expect((await ended("w")).output).toBe("5");
  });

  test("a suspended instance can be terminated", async () => {
    const { client, start, ended } = await served();
    start("waiting", null, "w");
    await client.suspend("w", "hold");
    await client.terminate("w", "enough");
    expect((await ended("w")).status).toBe("Terminated");
  });
});

describe("rewind, restart and purge", () => {
  test("rewind is 501", async () => {
    const { client, post, start } = await served();
    start("waiting", null, "w");
    expect((await post("instances/w/rewind?reason=x")).status).toBe(501);
    await expect(client.rewind("w", "x")).rejects.toThrow(/not supported/);
  });

  test("restart starts the same with the same input under a new id, or under its own; an unknown one is 400", async () => {
    const { post, start, ended } = await served();
    await ended(start("greeting", "Ann", "g"));
    const answer = await post("instances/g/restart");
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as { id: string };
    expect(id).not.toBe("g");
    expect((await ended(id)).output).toBe('"hello Ann"');
    expect(await (await post("instances/g/restart?restartWithNewInstanceId=false")).json()).toMatchObject({ id: "g" });
    expect((await post("instances/nobody/restart")).status).toBe(400);
  });

  test("purge forgets a finished instance, and neither a live nor an unknown one", async () => {
    const { client, call, start, ended, engine } = await served();
    await ended(start("greeting", "Ann", "g"));
    start("waiting", null, "w");
    expect(await client.purgeInstanceHistory("g")).toEqual({ instancesDeleted: 1 });
    expect((await call("instances/g")).status).toBe(404);
    expect(engine.history("g")).toEqual([]);
    expect((await call("instances/g", { method: "DELETE" })).status).toBe(404);
    expect((await call("instances/w", { method: "DELETE" })).status).toBe(404);
    expect(await client.purgeInstanceHistory("w")).toEqual({ instancesDeleted: 0 });
  });

  test("purge of many takes the filters of the list", async () => {
    const { client, start, ended, clock, engine } = await served();
    await ended(start("greeting", "Ann", "old"));
    clock.advance(3_600_000);
    await ended(start("greeting", "Ann", "new"));
    expect(await client.purgeInstanceHistoryBy({ createdTimeFrom: new Date("2026-11-21T06:30:00Z") })).toEqual({ instancesDeleted: 1 });
    expect([...engine.eventCounts().keys()]).toEqual(["old"]);
    expect(await client.purgeInstanceHistoryBy({ createdTimeFrom: new Date("2027-01-01T00:00:00Z") })).toEqual({ instancesDeleted: 0 });
  });
});

describe("the rest of the API", () => {
  test("entities are 501", async () => {
    const { post, call } = await served();
    expect((await post("entities/counter/one?op=add", "1")).status).toBe(501);
    expect((await call("entities/counter/one")).status).toBe(501);
  });

  test("the webhook path wants the key, in the query or the header; the client's own path does not", async () => {
    const { call, url, start } = await served({ code: "made-up-key" });
    start("waiting", null, "w");
    expect((await call("instances/w")).status).toBe(401);
    expect((await call("instances/w?code=wrong-key")).status).toBe(401);
    expect((await call("instances/w?code=made-up-key")).status).toBe(202);
    expect((await call("instances/w", { headers: { "x-functions-key": "made-up-key" } })).status).toBe(202);
    expect((await fetch(`${url}/durabletask/instances/w`)).status).toBe(202);
  });

  test("unknown paths and methods are 404, and a path that is not URL-encoded is 400", async () => {
    const { call, post, url } = await served();
    expect((await call("nothing/here")).status).toBe(404);
    expect((await post("instances/x/dance")).status).toBe(404);
    expect((await call("instances/x", { method: "PUT" })).status).toBe(404);
    expect((await call("instances/%E0%A4%A")).status).toBe(400);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });

  test("the client builds a check-status answer from the binding", async () => {
    const { client, url } = await served({ code: "made-up-key" });
    const payload = client.createHttpManagementPayload("i-1");
    expect(payload.id).toBe("i-1");
    expect(payload.statusQueryGetUri).toContain("/instances/i-1?taskHub=LocalHub&connection=Storage&code=made-up-key");
    expect(payload.statusQueryGetUri.startsWith(url)).toBe(true);
  });

  test("every URL of the binding is a string, and the one for calls ends in a slash", async () => {
    const { engine, url }: Pick<Run, "engine"> & { url: string } = await served();
    const binding = engine.durableClient(url);
    for (const value of [...Object.values(binding.creationUrls), ...Object.values(binding.managementUrls)]) expect(value).toBeTypeOf("string");
    expect(binding.rpcBaseUrl).toBe(`${url}/durabletask/`);
  });
});
