import { randomUUID } from "node:crypto";
import type { CoreInvocationContext, CoreModule, FunctionCallback, FunctionMetadata, HookData, NamedData, ProgrammingModel } from "./core-module.ts";
import type { TypedData } from "./typed-data.ts";

/** One call of a function, from the host's side. */
export interface InvocationRequest {
  /** The trigger's value; null is passed as undefined. */
  readonly data: TypedData | null;
  /** Values of the other input bindings. */
  readonly others?: readonly NamedData[];
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  readonly traceContext?: { readonly traceParent?: string; readonly traceState?: string };
  /** Made up when absent. */
  readonly invocationId?: string;
  /** Sees the context that the handler will get, before hooks and handler do. */
  readonly onContext?: (context: object) => void;
}

export interface InvocationAnswer {
  readonly outputs: readonly NamedData[];
  /** Undefined when the handler returned nothing. */
  readonly returnValue: TypedData | undefined;
  /** What the handler returned, after the hooks, as the very object. */
  readonly result: unknown;
}

interface Invoked {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly trigger: { readonly bindingName: string };
}

/** Runs one invocation through the library and the app's hooks, in the worker's order. Throws what the handler, or a hook, threw. */
export async function invokeFunction(core: CoreModule, model: ProgrammingModel, target: Invoked, request: InvocationRequest): Promise<InvocationAnswer> {
  const invocationId = request.invocationId ?? randomUUID();
  const hookData: HookData = {};
  let invocationContext: unknown;
  const coreContext: CoreInvocationContext = {
    invocationId,
    request: coreRequest(target, request, invocationId),
    metadata: target.metadata,
    state: undefined,
    log: (level, category, message) =>
      core.log({ level, category, message, functionName: target.metadata.name, invocationId }, { hookData, invocationContext }),
  };
  const invocation = await model.getInvocationModel(coreContext);
  const { context, inputs } = await invocation.getArguments();
  invocationContext = context;
  if (typeof context === "object" && context !== null) request.onContext?.(context);
  const shared = hookContext({ hookData, appHookData: core.appHookData, invocationContext });

  const before = Object.assign(shared(), { inputs, functionCallback: target.callback });
  await inState(coreContext, "preInvocationHooks", () => core.runHooks("preInvocation", before));

  const ended: { result: unknown; error: unknown } = { result: null, error: null };
  const after = Object.assign(shared(), { inputs: before.inputs }, ended);
  try {
    after.result = await inState(coreContext, "invocation", () => invocation.invokeFunction(context, before.inputs, before.functionCallback));
  } catch (error) {
    after.error = error;
  }
  await inState(coreContext, "postInvocationHooks", () => core.runHooks("postInvocation", after));
  if (after.error !== null && after.error !== undefined) throw after.error;

  const response = await invocation.getResponse(context, after.result);
  return { outputs: response.outputData ?? [], returnValue: response.returnValue ?? undefined, result: after.result };
}

function coreRequest({ metadata, trigger }: Invoked, request: InvocationRequest, invocationId: string): object {
  return {
    invocationId,
    functionId: metadata.functionId ?? metadata.name,
    // The trigger's item is there even for no value: without it the handler's first argument would be the context.
    inputData: [{ name: trigger.bindingName, data: request.data }, ...(request.others ?? [])],
    triggerMetadata: request.triggerMetadata ?? {},
    traceContext: request.traceContext ?? null,
    retryContext: null,
  };
}

/** Hook contexts share these, and hooks cannot replace them: there are no setters. */
function hookContext(values: { hookData: HookData; appHookData: HookData; invocationContext: unknown }) {
  return () => ({
    get hookData() {
      return values.hookData;
    },
    get appHookData() {
      return values.appHookData;
    },
    get invocationContext() {
      return values.invocationContext;
    },
  });
}

async function inState<T>(context: CoreInvocationContext, state: CoreInvocationContext["state"], run: () => Promise<T>): Promise<T> {
  context.state = state;
  try {
    return await run();
  } finally {
    context.state = undefined;
  }
}
