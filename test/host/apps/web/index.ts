/** One HTTP function for each thing that the host must carry there or back. */
import functions, { app, type HttpRequest } from "@azure/functions";

/** What arrived, as JSON. */
async function mirror(request: HttpRequest) {
  return {
    jsonBody: {
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      params: request.params,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    },
  };
}

app.http("mirror", { authLevel: "anonymous", methods: ["GET", "POST", "PUT", "PATCH", "DELETE"], route: "mirror/{*rest}", handler: mirror });
app.http("item", { authLevel: "anonymous", methods: ["GET"], route: "items/{id:int}/{part?}", handler: mirror });
app.http("latest", { authLevel: "anonymous", methods: ["GET"], route: "items/latest", handler: () => ({ body: "the latest" }) });
app.http("plain", { authLevel: "anonymous", handler: () => ({ body: "plain" }) });
app.http("headed", { authLevel: "anonymous", methods: ["GET", "HEAD"], handler: () => ({ body: "with a head", headers: { "x-own": "1" } }) });
app.http("nothing", { authLevel: "anonymous", handler: () => undefined as never });
app.http("throws", {
  authLevel: "anonymous",
  handler: () => {
    throw new Error("a secret of the inside");
  },
});
app.http("answers", {
  authLevel: "anonymous",
  methods: ["GET"],
  route: "answers/{kind}",
  handler: (request) => {
    switch (request.params.kind) {
      case "created":
        return { status: 201, headers: { location: "/api/items/7", "content-type": "text/x-own" }, body: "made" };
      case "bytes":
        return { body: new Uint8Array([0, 255, 128]) };
      case "response":
        // Plain Node finds no named export of that name in the library's CommonJS.
        return new functions.HttpResponse({ status: 418, body: "short" });
      case "no-content":
        return { status: 204 };
      case "not-http":
        return "a text is no answer" as never;
      default:
        return {
          body: "with cookies",
          cookies: [
            { name: "plain", value: "a b;c" },
            { name: "full", value: "1", domain: "lab.example", path: "/here", expires: Date.UTC(2026, 0, 2), secure: true, httpOnly: true, sameSite: "Strict", maxAge: 60 },
            { name: "open", value: "2", sameSite: "None" },
            { name: "lax", value: "3", sameSite: "Lax" },
          ],
        };
    }
  },
});
app.http("keyed", { authLevel: "function", handler: () => ({ body: "let in" }) });
app.http("adminOnly", { authLevel: "admin", handler: () => ({ body: "let in" }) });
app.http("clock", { authLevel: "anonymous", handler: () => ({ body: new Date().toISOString() }) });
app.generic("manual", {
  trigger: { type: "manualTrigger", name: "value" },
  handler: (value: unknown) => {
    if (value === "fail") throw new Error("failed by hand");
    ((globalThis as { fired?: unknown[] }).fired ??= []).push(value);
  },
});
