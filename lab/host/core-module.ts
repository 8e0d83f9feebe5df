import Module from "node:module";
import type { HostLog, LogCategory, LogLevel, LogRecord } from "./log.ts";
import type { TypedData } from "./typed-data.ts";

/** A function as the library registers it. The trigger is the one binding whose type ends in `Trigger`. */
export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retryOptions?: unknown;
}

/** A binding with all its own options, `type` and `direction` among them. */
export type Binding = Readonly<Record<string, unknown>>;
export type FunctionCallback = (...args: unknown[]) => unknown;
type HookCallback = (context: object) => unknown;
/** Free space that hooks share. */
export type HookData = Record<string, unknown>;

/** What `@azure/functions` gives us: how an invocation becomes a call of the handler, and what the app can do. */
export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities?(defaults: Record<string, string>): Record<string, string> | Promise<Record<string, string>>;
}

/** One invocation, in the library's hands. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(
    context: unknown,
    result: unknown,
  ): Promise<{ readonly outputData?: readonly NamedData[] | null; readonly returnValue?: TypedData | null }>;
}

export interface NamedData {
  readonly name: string;
  readonly data: TypedData | null;
}

/** What the library reads of the worker during an invocation. */
export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: object;
  readonly metadata: FunctionMetadata;
  /** The library reads it to warn of logs that come too late. */
  state: "preInvocationHooks" | "invocation" | "postInvocationHooks" | undefined;
  log(level: LogLevel, category: LogCategory, message: string): void;
}

const hookNames = ["preInvocation", "postInvocation", "appStart", "appTerminate", "log"] as const;
export type HookName = (typeof hookNames)[number];

/** The worker's side of the module that was handed to the app. */
export interface CoreModule {
  readonly functions: ReadonlyMap<string, { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback }>;
  /** Null until the app's first `app.*` call. */
  programmingModel(): ProgrammingModel | null;
  /** Shared by all hooks of the app. */
  readonly appHookData: HookData;
  /** Runs the hooks of a name in the order of registration, each awaited. */
  runHooks(name: HookName, context: object): Promise<void>;
  /** Passes a record through the `log` hooks, which may change its level and message, to the host's log. */
  log(record: LogRecord, invocation?: { readonly hookData: HookData; readonly invocationContext: unknown }): void;
  /** From now on nothing more can be registered. */
  endStartup(): void;
}

/**
 * Serves `@azure/functions-core` to everything this process loads from now on, as the language worker does. Once per process: the
 * library keeps the first answer for ever.
 */
export function installCoreModule(hostLog: HostLog): CoreModule {
  const core = coreModule(hostLog);
  // The declared type of `prototype` is any.
  const prototype = Module.prototype as { require: (this: unknown, id: string) => unknown };
  const requireOriginal = prototype.require;
  prototype.require = function requireCore(id) {
    return id === "@azure/functions-core" ? core.api : requireOriginal.call(this, id);
  };
  return core;
}

function coreModule(hostLog: HostLog): CoreModule & { readonly api: object } {
  const functions = new Map<string, { metadata: FunctionMetadata; callback: FunctionCallback }>();
  const hooks = new Map<string, HookCallback[]>(hookNames.map((name) => [name, []]));
  const appHookData: HookData = {};
  let model: ProgrammingModel | null = null;
  let starting = true;

  function registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    const id = metadata.functionId ?? metadata.name;
    if (!starting) throw systemError(`function "${id}" comes too late: functions can only be registered while the app starts`);
    if (functions.has(id)) throw systemError(`a function named "${id}" is already registered: all functions share one name space`);
    functions.set(id, { metadata, callback });
    return new Disposable(() => {
      if (!starting) throw systemError(`function "${id}" can only be disposed of while the app starts`);
      functions.delete(id);
    });
  }

  function registerHook(name: string, callback: HookCallback): Disposable {
    const registered = hooks.get(name);
    // The library tells an old host by this very kind of error.
    if (!registered) throw systemError(`unknown hook "${name}": there are ${hookNames.join(", ")}`, RangeError);
    registered.push(callback);
    return new Disposable(() => {
      const index = registered.indexOf(callback);
      if (index >= 0) registered.splice(index, 1);
    });
  }

  function setProgrammingModel(given: ProgrammingModel): void {
    if (!starting) throw systemError("the programming model can only be set while the app starts");
    model = given;
  }

  let insideLogHook = false;
  const log: CoreModule["log"] = (record, invocation) => {
    // A hook that logs must not call itself.
    if (insideLogHook) return hostLog(record);
    const shown = { level: record.level, message: record.message };
    const context = Object.assign(shown, { category: record.category, hookData: invocation?.hookData ?? {}, appHookData, invocationContext: invocation?.invocationContext });
    insideLogHook = true;
    try {
      for (const hook of hooks.get("log") ?? []) hook(context);
    } catch (error) {
      hostLog({ level: "error", category: "system", message: `a log hook failed: ${String(error)}` });
    } finally {
      insideLogHook = false;
    }
    hostLog({ ...record, level: shown.level, message: shown.message });
  };

  return {
    functions,
    appHookData,
    log,
    programmingModel: () => model,
    endStartup: () => void (starting = false),
    async runHooks(name, context) {
      for (const hook of hooks.get(name) ?? []) await hook(context);
    },
    api: {
      version: "3.10.1",
      hostVersion: "4.1036.0",
      registerFunction,
      registerHook,
      setProgrammingModel,
      getProgrammingModel: () => model,
      log: (level: LogLevel, category: LogCategory, message: string) => log({ level, category, message }),
      Disposable,
    },
  };
}

/** Undoes one registration, once. */
class Disposable {
  #undo: (() => unknown) | undefined;

  constructor(undo: () => unknown) {
    this.#undo = undo;
  }

  static from(...parts: readonly { dispose?(): unknown }[]): Disposable {
    return new Disposable(() => parts.forEach((part) => part.dispose?.()));
  }

  dispose(): unknown {
    const undo = this.#undo;
    this.#undo = undefined;
    return undo?.();
  }
}

/** An error of the platform rather than the app's; the mark is read by the library. */
function systemError(message: string, Kind: ErrorConstructor | RangeErrorConstructor = Error): Error {
  return Object.assign(new Kind(message), { isAzureFunctionsSystemError: true });
}
