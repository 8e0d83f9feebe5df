import { typeOf, type RegisteredFunction } from "./core-api.ts";
import type { NamedData } from "./core-module.ts";
import type { DurableClientBinding } from "./contract.ts";

/** The values of input bindings other than the trigger. */
export interface HostBindings {
  inputsFor(registered: RegisteredFunction): readonly NamedData[];
}

/** Serves `durableClient` inputs from the engine; null: there is no engine, and a function that asks for one fails when it is called. */
export function openBindings(durableClient: (() => DurableClientBinding) | null): HostBindings {
  return {
    inputsFor: ({ name, trigger, bindings }) =>
      Object.keys(bindings)
        .filter((binding) => binding !== trigger.bindingName && bindings[binding]?.direction === "in")
        .map((binding) => {
          if (!durableClient) throw new Error(`function "${name}" wants a durable client: this host was opened without a durable engine`);
          return { name: binding, data: { string: JSON.stringify(durableClient()) } };
        }),
  };
}

/** Fails at start-up on a binding that this host cannot serve, rather than at the call. */
export function refuseUnknownBindings(functions: Iterable<RegisteredFunction>): void {
  const problems = [...functions].flatMap(({ name, trigger, bindings }) =>
    Object.entries(bindings)
      .filter(([bindingName]) => bindingName !== trigger.bindingName)
      .filter(([, binding]) => (binding.direction === "in" ? !isDurableClient(typeOf(binding)) : typeOf(binding).toLowerCase() !== "http"))
      .map(([bindingName, binding]) => `function "${name}": ${binding.direction === "in" ? "input" : "output"} binding "${bindingName}" of type "${typeOf(binding)}"`),
  );
  if (problems.length === 0) return;
  throw new Error(`the embedded host serves no such binding; use the service's own SDK in the handler instead:\n${problems.join("\n")}`);
}

function isDurableClient(type: string): boolean {
  return /^(durableClient|orchestrationClient)$/i.test(type);
}
