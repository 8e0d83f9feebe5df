import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { installCoreModule, type FunctionMetadata, type ProgrammingModel } from "../../lab/host/core-module.ts";
import type { LogRecord } from "../../lab/host/log.ts";

interface CoreApi {
  readonly version: string;
  readonly hostVersion: string;
  registerFunction(metadata: FunctionMetadata, callback: () => unknown): { dispose(): unknown };
  registerHook(name: string, callback: (context: never) => unknown): { dispose(): unknown };
  setProgrammingModel(model: ProgrammingModel): void;
  getProgrammingModel(): ProgrammingModel | null;
  log(level: string, category: string, message: string): void;
  readonly Disposable: { new (undo: () => void): { dispose(): unknown }; from(...parts: { dispose(): unknown }[]): { dispose(): unknown } };
}

const log: LogRecord[] = [];
const core = installCoreModule((record) => log.push(record));
const api = createRequire(import.meta.url)("@azure/functions-core") as CoreApi;
const metadata = (name: string, functionId?: string): FunctionMetadata => ({ name, bindings: {}, ...(functionId ? { functionId } : {}) });
const model = { name: "a model", version: "1" } as ProgrammingModel;

describe("the @azure/functions-core module", () => {
  test("is served to every require of this process, and nothing else is touched", () => {
    expect(createRequire(import.meta.url)("@azure/functions-core")).toBe(api);
    expect(createRequire(import.meta.url)("node:path")).toHaveProperty("join");
  });

  test("version and hostVersion are texts", () => {
    expect([api.version, api.hostVersion]).toEqual([expect.stringMatching(/^\d/), expect.stringMatching(/^4\./)]);
  });

  test("registerFunction keeps a function under its id, else its name, and disposing of it takes it back", () => {
    const named = api.registerFunction(metadata("a"), () => {});
    api.registerFunction(metadata("b", "id-of-b"), () => {});
    expect([...core.functions.keys()]).toEqual(["a", "id-of-b"]);
    named.dispose();
    expect([...core.functions.keys()]).toEqual(["id-of-b"]);
  });

  test("registerFunction refuses a name that is taken", () => {
    api.registerFunction(metadata("twice"), () => {});
    expect(() => api.registerFunction(metadata("twice"), () => {})).toThrow(/"twice" is already registered/);
  });

  test.each(["preInvocation", "postInvocation", "appStart", "appTerminate"] as const)("registerHook takes %s, in order, until disposed of", async (name) => {
    const ran: string[] = [];
    const first = api.registerHook(name, async () => void ran.push("first"));
    api.registerHook(name, () => void ran.push("second"));
    await core.runHooks(name, {});
    first.dispose();
    await core.runHooks(name, {});
    expect(ran).toEqual(["first", "second", "second"]);
  });

  test("an unknown hook is a RangeError of the platform: so the library tells an old host", () => {
    const refused = () => api.registerHook("logger", () => {});
    expect(refused).toThrow(RangeError);
    expect(refused).toThrow(expect.objectContaining({ isAzureFunctionsSystemError: true }));
  });

  test("a log hook may log without calling itself, and its failure is told", () => {
    const hook = api.registerHook("log", () => {
      api.log("debug", "user", "from the hook");
      throw new Error("hook broke");
    });
    api.log("information", "user", "hello");
    hook.dispose();
    expect(log.map(({ message }) => message)).toEqual(["from the hook", "a log hook failed: Error: hook broke", "hello"]);
  });

  test("log passes level, category and message on", () => {
    log.length = 0;
    api.log("critical", "customMetric", "m");
    expect(log).toEqual([{ level: "critical", category: "customMetric", message: "m" }]);
  });

  test("Disposable undoes once, and `from` undoes all", () => {
    let undone = 0;
    const one = new api.Disposable(() => void (undone += 1));
    one.dispose();
    one.dispose();
    api.Disposable.from(new api.Disposable(() => void (undone += 10)), new api.Disposable(() => void (undone += 100))).dispose();
    expect(undone).toBe(111);
  });

  test("the programming model is kept; after the start nothing can be set, registered or taken back", () => {
    expect(api.getProgrammingModel()).toBeNull();
    api.setProgrammingModel(model);
    const early = api.registerFunction(metadata("early"), () => {});
    core.endStartup();
    expect(api.getProgrammingModel()).toBe(model);
    expect(core.programmingModel()).toBe(model);
    expect(() => api.setProgrammingModel(model)).toThrow(/while the app starts/);
    expect(() => api.registerFunction(metadata("late"), () => {})).toThrow(/too late/);
    expect(() => early.dispose()).toThrow(/while the app starts/);
  });
});
