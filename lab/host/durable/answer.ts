import type { OrchestratorState } from "./protocol.ts";

/** What came back from the app: the library's state object, or what it threw. */
export type Answer = { readonly kind: "returned"; readonly value: unknown } | { readonly kind: "threw"; readonly error: unknown };

/** The state in it; `broken` when there is none, which is a failure outside of the orchestrator's own code. */
export type ReadAnswer = { readonly kind: "state"; readonly state: OrchestratorState } | { readonly kind: "broken"; readonly message: string };

/** What separates a failed orchestrator's message from its state. */
const stateLabel = "\n\n$OutOfProcData$:";

/** A failed orchestrator throws an error whose message carries the state as JSON; the text before it says nothing. */
export function readAnswer(answer: Answer): ReadAnswer {
  if (answer.kind === "returned") return stateOf(answer.value);
  const message = answer.error instanceof Error ? answer.error.message : String(answer.error);
  const label = message.indexOf(stateLabel);
  if (label === -1) return { kind: "broken", message };
  const read = stateOf(JSON.parse(message.slice(label + stateLabel.length)));
  if (read.kind === "broken") return read;
  // An error without a message is dropped from the state; a failure is a failure all the same.
  return { kind: "state", state: { ...read.state, isDone: false, error: read.state.error ?? "" } };
}

function stateOf(value: unknown): ReadAnswer {
  if (typeof value === "object" && value !== null && Array.isArray((value as Partial<OrchestratorState>).actions)) {
    return { kind: "state", state: value as OrchestratorState };
  }
  return { kind: "broken", message: `the orchestrator function returned no orchestrator state but ${JSON.stringify(value) ?? "nothing"}` };
}
