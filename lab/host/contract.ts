/**
 * What the host and its durable engine know of each other, and nothing else. `host.ts` makes the EngineApp from the loaded app;
 * `durable/engine.ts` answers with an Engine.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LabClock } from "../clock.ts";

/**
 * A handler that the HTTP server asks before its own routes. True: the request is (or will be) answered; false: it is not ours, and
 * nothing was read or written.
 */
export type Mount = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>;

/** What kind of durable function bears a name; null: none does. */
export type DurableKind = "orchestrator" | "activity" | "entity";

/** How an activity ended. `result` is JSON text, null for nothing. */
export type ActivityAnswer =
  | { readonly kind: "completed"; readonly result: string | null }
  | { readonly kind: "failed"; readonly reason: string; readonly details: string; readonly failureDetails?: unknown };

/** The loaded app, as the engine calls it. */
export interface EngineApp {
  kindOf(name: string): DurableKind | null;
  /**
   * One episode: hands the trigger value (plain JSON) to the orchestrator and returns the library's own state object, not a JSON copy
   * of it: object identity inside it tells a task that was yielded again, and instants are still Dates. A failing orchestrator throws
   * the library's own error, with its `$OutOfProcData$` text untouched.
   *
   * `onContext` is called with the library's orchestration context the moment the library puts it on the invocation context as `df`
   * (before any user code: give the invocation context an accessor of that name); the engine watches it for pitfalls that the
   * returned state does not show, and compares task ids.
   */
  orchestrate(name: string, trigger: unknown, onContext?: (df: object) => void): Promise<unknown>;
  /** Runs an activity; `input` is the text that the app sees (undefined: none). Never throws: a failure is an answer. */
  activity(name: string, input: string | undefined): Promise<ActivityAnswer>;
}

/** Something that an orchestration did and that works otherwise, or not at all, on Azure. */
export interface EngineProblem {
  /** The rule, for example `P4`. */
  readonly rule: string;
  readonly instanceId: string;
  readonly message: string;
}

export interface EngineOptions {
  readonly app: EngineApp;
  readonly clock: LabClock;
  /** Null: nothing is kept, for tests. */
  readonly journalFile: string | null;
  /** Whether a pitfall fails its instance or is only reported. */
  readonly strict: "fail" | "warn";
  readonly problems: (problem: EngineProblem) => void;
  readonly activityConcurrency?: number;
  /** `extensions.durableTask.hubName` of host.json. */
  readonly taskHub?: string;
  /** The key that the management URLs carry (`code=`). */
  readonly code?: string;
  /** `extensions.durableTask.defaultVersion` of host.json. */
  readonly defaultVersion?: string;
  /** Which instances this host may run, `extensions.durableTask.versionMatchStrategy`; the default is `CurrentOrOlder`. */
  readonly versionMatchStrategy?: "None" | "Strict" | "CurrentOrOlder";
  /** What happens to the others, `versionFailureStrategy`: left where they are (`Reject`, the default) or failed. */
  readonly versionFailureStrategy?: "Reject" | "Fail";
  /** Told of everything that happens, as it happens; must not throw. */
  readonly onEvent?: (event: EngineEvent) => void;
}

/** One thing that happened in the engine. `name` is the orchestrator's, the activity's or the external event's. */
export interface EngineEvent {
  readonly kind:
    | "instance-started"
    | "instance-continued"
    | "instance-completed"
    | "instance-failed"
    | "instance-terminated"
    | "instance-suspended"
    | "instance-resumed"
    | "activity-started"
    | "activity-completed"
    | "activity-failed"
    | "timer-fired"
    | "event-raised";
  readonly instanceId: string;
  readonly name: string;
}

/** The value of a `durableClient` input binding; every URL is a string, or the client throws. */
export interface DurableClientBinding {
  readonly taskHubName: string;
  readonly creationUrls: Readonly<Record<string, string>>;
  readonly managementUrls: Readonly<Record<string, string>>;
  readonly baseUrl: string;
  readonly requiredQueryStringParameters: string;
  /** Ends in `/`. */
  readonly rpcBaseUrl: string;
}

export interface Engine {
  /** Answers `/runtime/webhooks/durabletask/*` and `/durabletask/*`. */
  readonly mount: Mount;
  /** `baseUrl` is the host's own, `http://127.0.0.1:PORT`. */
  durableClient(baseUrl: string): DurableClientBinding;
  /** Goes on with what the journal holds. Nothing runs before. */
  start(): void;
  /** Resolves when nothing is running or due now. */
  idle(): Promise<void>;
  /** Takes nothing new, waits for what runs, closes the journal. */
  close(): Promise<void>;
}

export type OpenEngine = (options: EngineOptions) => Promise<Engine>;
