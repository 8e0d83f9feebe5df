import { pathToFileURL } from "node:url";
import { installCoreModule, type Binding, type CoreModule, type FunctionCallback, type FunctionMetadata, type HookData } from "./core-module.ts";
import { entryPoints } from "./entry-point.ts";
import { invokeFunction, type InvocationAnswer, type InvocationRequest } from "./invocation.ts";
import type { HostLog } from "./log.ts";

export type { InvocationAnswer, InvocationRequest } from "./invocation.ts";

/** A function of the loaded app, as it described itself. */
export interface RegisteredFunction {
  readonly name: string;
  readonly trigger: { readonly type: string; readonly bindingName: string; readonly binding: Binding };
  /** All bindings by name, the trigger and the return value (`$return`) included. */
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly hasRetryPolicy: boolean;
}

/** The app in this process, between its start and its end. */
export interface HostedApp {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  /** Where the library listens for streamed requests, when the app asked for HTTP streaming; else null. */
  readonly httpUri: string | null;
  /** Calls a function. Throws what it threw. */
  invoke(name: string, request: InvocationRequest): Promise<InvocationAnswer>;
  /** Runs the `appTerminate` hooks. */
  terminate(): Promise<void>;
}

let loadedDirectory: string | null = null;

/**
 * Loads the compiled app of a directory by `main` of its package.json, ES module or CommonJS, and runs its start-up as the language
 * worker does. One process holds one app: a second call fails.
 */
export async function loadApp({ appDirectory, log }: { readonly appDirectory: string; readonly log: HostLog }): Promise<HostedApp> {
  if (loadedDirectory !== null) throw new Error(`this process already holds the app of ${loadedDirectory}: load ${appDirectory} in a process of its own`);
  loadedDirectory = appDirectory;
  const core = installCoreModule(log);
  for (const file of await entryPoints(appDirectory)) await import(pathToFileURL(file).href);

  const appOnlyHookData: HookData = {};
  const appContext = { hookData: appOnlyHookData, appHookData: core.appHookData, functionAppDirectory: appDirectory };
  await core.runHooks("appStart", appContext);
  const model = core.programmingModel();
  if (!model) throw new Error(`the app of ${appDirectory} registered nothing: it made no app.* call on the @azure/functions that it loaded`);
  const capabilities = (await model.getCapabilities?.({})) ?? {};
  core.endStartup();

  const functions = registeredFunctions(core);
  return {
    functions,
    httpUri: capabilities.HttpUri ?? null,
    async invoke(name, request) {
      const registered = functions.get(name);
      if (!registered) throw new Error(`the app has no function "${name}": there are ${[...functions.keys()].join(", ")}`);
      return await invokeFunction(core, model, registered, request);
    },
    terminate: () => core.runHooks("appTerminate", appContext),
  };
}

type Callable = RegisteredFunction & { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback };

function registeredFunctions(core: CoreModule): ReadonlyMap<string, Callable> {
  return new Map([...core.functions.values()].map(({ metadata, callback }) => [metadata.name, { ...described(metadata), metadata, callback }]));
}

function described(metadata: FunctionMetadata): RegisteredFunction {
  const triggers = Object.entries(metadata.bindings).filter(([, binding]) => /trigger$/i.test(typeOf(binding)));
  const [trigger] = triggers;
  if (!trigger || triggers.length > 1) throw new Error(`function "${metadata.name}" has ${triggers.length} triggers; it must have one`);
  const [bindingName, binding] = trigger;
  return {
    name: metadata.name,
    trigger: { type: typeOf(binding), bindingName, binding },
    bindings: metadata.bindings,
    hasRetryPolicy: metadata.retryOptions !== undefined && metadata.retryOptions !== null,
  };
}

/** A binding's type, as the app wrote it; empty when it wrote none. */
export function typeOf(binding: Binding): string {
  return typeof binding.type === "string" ? binding.type : "";
}
