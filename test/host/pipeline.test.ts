import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appDirectory } from "./app-directory.ts";
import { loadApp, type HostedApp } from "../../lab/host/core-api.ts";
import type { LogRecord } from "../../lab/host/log.ts";
import type { TypedData } from "../../lab/host/typed-data.ts";

const seen = ((globalThis as { seen?: string[] }).seen ??= []);
const log: LogRecord[] = [];
let app: HostedApp;

beforeAll(async () => {
  app = await loadApp({ appDirectory: appDirectory("pipeline"), log: (record) => log.push(record) });
});

const answerOf = async (value: string) => (await app.invoke("steps", { data: { string: value } })).returnValue;

describe("the start of an app", () => {
  test("appStart hooks ran once the app was loaded", () => {
    expect(seen[0]).toBe("appStart");
  });

  test("a second app in the same process is refused", async () => {
    await expect(loadApp({ appDirectory: appDirectory("web"), log: () => {} })).rejects.toThrow(/already holds the app/);
  });

  test("nothing can be registered any more", async () => {
    const { app: library } = await import("@azure/functions");
    expect(() => library.generic("late", { trigger: { type: "manualTrigger", name: "x" }, handler: () => {} })).toThrow(/too late/);
  });

  test("generated binding names are looked up, not assumed", async () => {
    expect(app.functions.get("unnamed-trigger")?.trigger.binding.type).toBe("manualTrigger");
    expect((await app.invoke("unnamed-trigger", { data: null })).returnValue).toEqual({ string: "named by the library" });
  });

  test("a function that does not exist is named in the error", async () => {
    await expect(app.invoke("nobody", { data: null })).rejects.toThrow(/no function "nobody": there are steps, echo/);
  });
});

describe("one invocation", () => {
  beforeEach(() => {
    seen.length = 0;
    log.length = 0;
  });

  test("runs pre-hooks, handler, post-hooks, in this order", async () => {
    expect(await answerOf("order")).toEqual({ string: "answer to order" });
    expect(seen).toEqual(["preInvocation", "handler order", "postInvocation of order: answer to order"]);
  });

  test("a pre-hook replaces the inputs", async () => {
    expect(await answerOf("replace-inputs")).toEqual({ string: "answer to replaced input" });
  });

  test("a pre-hook replaces the handler", async () => {
    expect(await answerOf("replace-handler")).toEqual({ string: "from the replaced handler" });
    expect(seen).not.toContain("handler replace-handler");
  });

  test("a post-hook replaces the result", async () => {
    const { returnValue, result } = await app.invoke("steps", { data: { string: "replace-result" } });
    expect(returnValue).toEqual({ string: "replaced result" });
    expect(result).toBe("replaced result");
  });

  test("what the handler throws is thrown, after the post-hooks saw it", async () => {
    await expect(answerOf("fail")).rejects.toThrow("told to fail");
    expect(seen.at(-1)).toBe("postInvocation of fail: Error: told to fail");
  });

  test("a post-hook forgives an error", async () => {
    expect(await answerOf("forgive")).toEqual({ string: "forgiven" });
  });

  test("a post-hook replaces an error", async () => {
    await expect(answerOf("replace-error")).rejects.toThrow("another error");
  });

  test("other outputs come back by name", async () => {
    const { outputs } = await app.invoke("steps", { data: { string: "outputs" } });
    expect(outputs).toMatchObject([{ name: "side", data: { http: { statusCode: "200" } } }]);
  });

  test("a log hook changes level and message, and the record says whose it is", async () => {
    await app.invoke("steps", { data: { string: "log" }, invocationId: "invocation-1" });
    expect(log).toContainEqual({ level: "warning", category: "user", message: "a *** word", functionName: "steps", invocationId: "invocation-1" });
  });

  test("a log after the end is told as such", async () => {
    await answerOf("late-log");
    await expect.poll(() => log.map(({ message }) => message).join()).toMatch(/Unexpected call to 'log' .*too late/);
  });

  test("a log of a post-hook is not late", async () => {
    await answerOf("log-after");
    expect(log.map(({ message }) => message)).toEqual(["from the post-hook"]);
  });

  test("trigger metadata and trace context arrive", async () => {
    const { result } = await app.invoke("echo", {
      data: null,
      triggerMetadata: { BlobTrigger: { string: "a/b" }, Uri: { json: '"https://x"' } },
      traceContext: { traceParent: "00-1-2-01" },
    });
    expect(result).toMatchObject({ triggerMetadata: { blobTrigger: "a/b", uri: "https://x" }, traceParent: "00-1-2-01" });
  });

  test("the context is handed out before the hooks run", async () => {
    let first: unknown;
    await app.invoke("steps", { data: { string: "context" }, onContext: (context) => void (first = [...seen, "functionName" in context]) });
    expect(first).toEqual([true]);
  });

  test("appTerminate hooks get what appStart hooks left", async () => {
    await app.terminate();
    expect(seen).toEqual(['appTerminate {"from":"appStart"}']);
  });
});

describe("RpcTypedData, host to app", () => {
  test.each<[string, TypedData | null, object]>([
    ["a string that is JSON is parsed", { string: '{"a":1}' }, { kind: "object", value: { a: 1 } }],
    ["a string that is a number becomes one", { string: "5" }, { kind: "number", value: 5 }],
    ["another string is kept", { string: "a b" }, { kind: "string", value: "a b" }],
    ["json is parsed", { json: "[1]" }, { kind: "array", value: [1] }],
    ["bytes become a Buffer", { bytes: Buffer.from("x") }, { kind: "buffer", value: "x" }],
    ["a stream becomes a Buffer", { stream: Buffer.from("y") }, { kind: "buffer", value: "y" }],
    ["an int is a number", { int: 3 }, { kind: "number", value: 3 }],
    ["a double is a number", { double: 0.5 }, { kind: "number", value: 0.5 }],
    ["strings of a collection are parsed each", { collectionString: { string: ["1", "b"] } }, { kind: "array", value: [1, "b"] }],
    ["doubles of a collection", { collectionDouble: { double: [0.5] } }, { kind: "array", value: [0.5] }],
    ["integers of a collection", { collectionSint64: { sint64: [4] } }, { kind: "array", value: [4] }],
    ["nothing set is undefined, and not the context", {}, { kind: "undefined" }],
    ["null is undefined, and not the context", null, { kind: "undefined" }],
  ])("%s", async (_, data, expected) => {
    expect((await app.invoke("echo", { data })).result).toMatchObject(expected);
  });

  test("bytes of a collection become Buffers", async () => {
    const { result } = await app.invoke("echo", { data: { collectionBytes: { bytes: [Buffer.from("z")] } } });
    expect(result).toMatchObject({ kind: "array", value: [Buffer.from("z")] });
  });
});

describe("RpcTypedData, app to host", () => {
  test.each<[string, TypedData | undefined]>([
    ["text", { string: "plain" }],
    ["numeral", { string: "5" }],
    ["integer", { int: 7 }],
    ["fraction", { double: 1.5 }],
    ["buffer", { bytes: Buffer.from("bytes") }],
    ["typedArray", { bytes: new Uint8Array([2, 1]) }],
    ["truth", { json: "true" }],
    ["object", { json: '{"a":[1]}' }],
    ["null", undefined],
    ["nothing", undefined],
  ])("%s", async (which, expected) => {
    expect((await app.invoke("values", { data: { string: which } })).returnValue).toEqual(expected);
  });
});
