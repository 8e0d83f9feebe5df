import { app } from "@azure/functions";

app.http("hello", { authLevel: "anonymous", handler: async (request) => ({ jsonBody: { hello: request.query.get("name") } }) });
