import type { RegisteredFunction } from "../core-api.ts";
import { startBlobTrigger, type BlobTriggerOptions } from "./blob.ts";
import { startTimer } from "./timer.ts";
import type { RunningTrigger } from "./trigger.ts";

/** Called by HTTP or by the engine, so nothing watches for them. */
const calledElsewhere = /^(http|orchestration|activity|entity)Trigger$/i;

/**
 * Starts every trigger of the app that watches something; none is left running when one cannot start. A kind that this host does not
 * know can only be fired by hand.
 */
export async function openTriggers(
  functions: Iterable<RegisteredFunction>,
  options: Omit<BlobTriggerOptions, "registered">,
): Promise<ReadonlyMap<string, RunningTrigger>> {
  const running = new Map<string, RunningTrigger>();
  try {
    for (const registered of functions) {
      if (!calledElsewhere.test(registered.trigger.type)) running.set(registered.name, await openTrigger({ ...options, registered }));
    }
  } catch (error) {
    await Promise.all([...running.values()].map((trigger) => trigger.close()));
    throw error;
  }
  return running;
}

async function openTrigger(options: BlobTriggerOptions): Promise<RunningTrigger> {
  const { registered, app, bindings, log } = options;
  const { name, trigger } = registered;
  switch (trigger.type.toLowerCase()) {
    case "timertrigger":
      return startTimer(options);
    case "blobtrigger":
      return startBlobTrigger(options);
    default:
      log({ level: "warning", category: "system", functionName: name, message: `nothing fires a ${trigger.type} here but POST /admin/functions/${name}` });
      return {
        async fire(input) {
          await app.invoke(name, { data: input === undefined ? null : { string: input }, others: bindings.inputsFor(registered) });
        },
        async close() {},
      };
  }
}
