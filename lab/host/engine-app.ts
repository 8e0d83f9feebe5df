import type { HostBindings } from "./bindings.ts";
import type { ActivityAnswer, DurableKind, EngineApp } from "./contract.ts";
import type { HostedApp } from "./core-api.ts";
import { toJsonText } from "./typed-data.ts";

const kinds: Readonly<Record<string, DurableKind>> = { orchestrationtrigger: "orchestrator", activitytrigger: "activity", entitytrigger: "entity" };

/** The loaded app, as the durable engine calls it. */
export function engineApp(app: HostedApp, bindings: HostBindings): EngineApp {
  const othersOf = (name: string) => {
    const registered = app.functions.get(name);
    return registered ? bindings.inputsFor(registered) : [];
  };
  return {
    kindOf: (name) => kinds[app.functions.get(name)?.trigger.type.toLowerCase() ?? ""] ?? null,
    async orchestrate(name, trigger, onContext) {
      const { result } = await app.invoke(name, {
        data: { json: JSON.stringify(trigger) },
        others: othersOf(name),
        ...(onContext ? { onContext: (context: object) => watchForDf(context, onContext) } : {}),
      });
      return result;
    },
    async activity(name, input) {
      try {
        const { returnValue } = await app.invoke(name, { data: input === undefined ? null : { string: input }, others: othersOf(name) });
        return { kind: "completed", result: toJsonText(returnValue) };
      } catch (error) {
        return activityFailure(name, error);
      }
    },
  };
}

/** Tells when the library puts its orchestration context on the invocation's, before it runs user code. */
function watchForDf(context: object, tell: (df: object) => void): void {
  let df: object | undefined;
  Object.defineProperty(context, "df", {
    configurable: true,
    enumerable: true,
    get: () => df,
    set(given: object) {
      df = given;
      tell(given);
    },
  });
}

/**
 * An activity's failure in the texts of the real extension: both must be strings, or the library fails in its own way. A message that
 * the library made with the app's properties provider is JSON, and becomes structured details.
 */
export function activityFailure(name: string, error: unknown): ActivityAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof Error ? (error.stack ?? "") : "";
  const structured = structuredDetails(message);
  const reason = `Activity function '${name}' failed: ${structured?.ErrorMessage ?? message}`;
  return structured ? { kind: "failed", reason, details, failureDetails: structured } : { kind: "failed", reason, details };
}

function structuredDetails(message: string): { readonly ErrorMessage: string } | null {
  try {
    const { errorType, errorMessage, isNonRetriable, properties, stackTrace } = JSON.parse(message) as Record<string, unknown>;
    if (typeof errorType !== "string" || typeof errorMessage !== "string" || properties === undefined) return null;
    const details = { ErrorType: errorType, ErrorMessage: errorMessage, StackTrace: stackTrace, IsNonRetriable: isNonRetriable, Properties: properties, InnerFailure: null };
    return details;
  } catch {
    return null;
  }
}
