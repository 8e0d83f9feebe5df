/** An orchestration of two legs, started and watched by HTTP; the second leg waits for a file, so that a test can kill the host in it. */
import { appendFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { app, type HttpRequest, type InvocationContext } from "@azure/functions";
import * as df from "durable-functions";

const { TRACE_FILE = "", GATE_FILE = "" } = process.env;

df.app.activity("firstLeg", {
  handler: async (runner: string) => {
    await appendFile(TRACE_FILE, "first leg\n");
    return `${runner} ran one leg`;
  },
});
df.app.activity("secondLeg", {
  handler: async (soFar: string) => {
    await appendFile(TRACE_FILE, "second leg\n");
    while (!existsSync(GATE_FILE)) await new Promise((resolve) => setTimeout(resolve, 20));
    return `${soFar}, then two`;
  },
});
df.app.orchestration("relay", function* (context): Generator<df.Task, object, unknown> {
  const first = yield context.df.callActivity("firstLeg", context.df.getInput());
  const second = yield context.df.callActivity("secondLeg", first);
  return { story: second, finishedAt: context.df.currentUtcDateTime.getTime() };
});

app.http("start", {
  authLevel: "anonymous",
  methods: ["POST"],
  route: "start/{id}",
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const client = df.getClient(context);
    await client.startNew("relay", { instanceId: request.params.id ?? "", input: await request.text() });
    return client.createCheckStatusResponse(request, request.params.id ?? "");
  },
});

const client = df.input.durableClient();
app.http("client", {
  authLevel: "anonymous",
  methods: ["GET"],
  extraInputs: [client],
  handler: (_, context) => ({ jsonBody: { binding: context.extraInputs.get(client), payload: df.getClient(context).createHttpManagementPayload("an-id") } }),
});
app.http("environment", { authLevel: "anonymous", handler: () => ({ jsonBody: { ...process.env } }) });
app.http("slow", {
  authLevel: "anonymous",
  handler: async () => {
    await appendFile(TRACE_FILE, "slow begins\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { body: "done all the same" };
  },
});
app.http("talk", {
  authLevel: "anonymous",
  handler: (_, context) => {
    context.log("by context");
    console.log("by console");
    return {};
  },
});
