import * as df from "durable-functions";

df.app.activity("greet", { handler: async (name: string) => `hello ${name}` });
df.app.orchestration("greeting", function* (context) {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 60_000));
  return { version: context.df.version, said: (yield context.df.callActivity("greet", context.df.getInput())) as string };
});
df.app.client.http("start", {
  authLevel: "anonymous",
  methods: ["POST"],
  handler: async (request, client) => client.createCheckStatusResponse(request, await client.startNew("greeting", { input: await request.json() })),
});
