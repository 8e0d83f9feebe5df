import { app } from "@azure/functions";

app.http("other", { authLevel: "anonymous", handler: async () => ({ body: "also loaded" }) });
