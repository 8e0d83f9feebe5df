/** HTTP functions of an app that turned streaming on. */
import { app } from "@azure/functions";

app.setup({ enableHttpStream: true });

app.http("parts", {
  authLevel: "anonymous",
  methods: ["GET"],
  route: "parts/{count:int}",
  handler: (request) => ({
    status: 206,
    headers: { "x-asked": request.headers.get("x-ask") ?? "", "x-query": request.query.get("q") ?? "" },
    cookies: [{ name: "a", value: "1" }],
    body: new ReadableStream({
      async start(controller) {
        for (let part = 1; part <= Number(request.params.count); part += 1) {
          controller.enqueue(new TextEncoder().encode(`part ${part}\n`));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        controller.close();
      },
    }),
  }),
});
app.http("upper", { authLevel: "anonymous", methods: ["POST"], handler: async (request) => ({ body: `${request.url} ${(await request.text()).toUpperCase()}` }) });
app.http("nothing", { authLevel: "anonymous", handler: () => undefined as never });
app.http("throws", {
  authLevel: "anonymous",
  handler: () => {
    throw new Error("inside");
  },
});
