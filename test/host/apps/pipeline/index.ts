/** Functions and hooks that write down in which order they ran. */
import { app, output, type InvocationContext } from "@azure/functions";

/** Shared with the test through the process: the test and the app are different module instances. */
const seen = ((globalThis as { seen?: string[] }).seen ??= []);

app.hook.appStart((context) => {
  seen.push("appStart");
  Object.assign(context.hookData, { from: "appStart" });
});
app.hook.appTerminate((context) => void seen.push(`appTerminate ${JSON.stringify(context.hookData)}`));

app.hook.preInvocation((context) => {
  seen.push("preInvocation");
  const asked = context.inputs[0];
  if (asked === "replace-inputs") context.inputs = ["replaced input"];
  if (asked === "replace-handler") context.functionHandler = () => "from the replaced handler";
  Object.assign(context.hookData, { asked });
});
app.hook.postInvocation((context) => {
  seen.push(`postInvocation of ${String(context.hookData.asked)}: ${String(context.error ?? context.result)}`);
  if (context.hookData.asked === "replace-result") context.result = "replaced result";
  if (context.hookData.asked === "log-after") context.invocationContext.log("from the post-hook");
  if (context.hookData.asked === "forgive") {
    context.error = undefined;
    context.result = "forgiven";
  }
  if (context.hookData.asked === "replace-error") context.error = new Error("another error");
});
app.hook.log((context) => {
  if (context.message.includes("secret")) {
    context.message = context.message.replace("secret", "***");
    context.level = "warning";
  }
});

app.generic("steps", {
  trigger: { type: "manualTrigger", name: "value" },
  extraOutputs: [output.generic({ type: "http", name: "side" })],
  handler: async (value: unknown, context: InvocationContext) => {
    seen.push(`handler ${String(value)}`);
    if (value === "forgive" || value === "replace-error" || value === "fail") throw new Error(`told to ${value}`);
    if (value === "log") context.log("a secret word");
    if (value === "late-log") setTimeout(() => context.log("too late"), 5);
    if (value === "outputs") context.extraOutputs.set("side", { body: "beside" });
    return `answer to ${String(value)}`;
  },
});

/** Returns what it got, described, and passes on what it was told to. */
app.generic("echo", {
  trigger: { type: "manualTrigger", name: "value" },
  handler: (value: unknown, context: InvocationContext) => ({
    kind: Buffer.isBuffer(value) ? "buffer" : value === context ? "the context" : Array.isArray(value) ? "array" : typeof value,
    value: Buffer.isBuffer(value) ? value.toString("utf8") : value,
    triggerMetadata: context.triggerMetadata,
    traceParent: context.traceContext?.traceParent,
  }),
});

const values: Record<string, unknown> = {
  text: "plain",
  numeral: "5",
  integer: 7,
  fraction: 1.5,
  buffer: Buffer.from("bytes"),
  typedArray: new Uint16Array([258]),
  truth: true,
  object: { a: [1] },
  null: null,
  nothing: undefined,
};
app.generic("values", { trigger: { type: "manualTrigger", name: "which" }, handler: (which: unknown) => values[String(which)] });

app.generic("unnamed-trigger", { trigger: { type: "manualTrigger" } as never, handler: () => "named by the library" });
