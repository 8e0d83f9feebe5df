/** Blob functions that write down what they were given. */
import { app, type InvocationContext } from "@azure/functions";

const shared = globalThis as { blobRuns?: unknown[]; failTimes?: number };
const runs = (shared.blobRuns ??= []);

app.storageBlob("backups", {
  path: "%CONTAINER%/backups/{backup}/{file}.json",
  connection: "Lake",
  handler: (content: unknown, context: InvocationContext) => {
    runs.push({ isBuffer: Buffer.isBuffer(content), content: String(content), metadata: context.triggerMetadata });
  },
});
app.generic("text", {
  trigger: { type: "blobTrigger", name: "blob", path: "velero", connection: "Lake", dataType: "string" },
  handler: (content: unknown) => void runs.push({ kind: typeof content, content }),
});
app.storageBlob("failing", {
  path: "velero/{name}",
  connection: "Lake",
  handler: (_: unknown, context: InvocationContext) => {
    runs.push(context.triggerMetadata?.name);
    shared.failTimes = (shared.failTimes ?? 0) - 1;
    if (shared.failTimes >= 0) throw new Error("not this one");
  },
});
