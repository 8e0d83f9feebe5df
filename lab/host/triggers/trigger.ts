import type { LabClock } from "../../clock.ts";
import type { HostBindings } from "../bindings.ts";
import type { HostedApp, RegisteredFunction } from "../core-api.ts";
import type { HostLog } from "../log.ts";
import type { Settings } from "../settings.ts";

/** What every trigger is opened with. */
export interface TriggerOptions {
  readonly registered: RegisteredFunction;
  readonly app: HostedApp;
  readonly bindings: HostBindings;
  readonly clock: LabClock;
  readonly settings: Settings;
  /** A trigger keeps what it must remember here, in files of its own. */
  readonly stateDirectory: string;
  readonly log: HostLog;
}

/** A trigger of one function that is watching. */
export interface RunningTrigger {
  /** Runs the function now, by hand; what `input` means is the trigger's. */
  fire(input: string | undefined): Promise<void>;
  /** Stops watching and waits for what runs. */
  close(): Promise<void>;
}

/** A text of the trigger's own binding; `otherwise` when the app gave none. */
export function bindingText({ name, trigger }: RegisteredFunction, key: string, otherwise?: string): string {
  const value = trigger.binding[key] ?? otherwise;
  if (typeof value !== "string" || value === "") throw new Error(`function "${name}": its ${trigger.type} has no "${key}"`);
  return value;
}
