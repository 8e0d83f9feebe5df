/**
 * The orchestrator protocol of `durable-functions` 3.x: numbers and JSON shapes as the Durable extension writes and reads them.
 * Every member spelt with a capital is the extension's; the few in lower case on the ignored kinds (4, 7, 10, 13) are our own bookkeeping.
 */

/** Numbers of history events. */
export const eventType = {
  executionStarted: 0,
  executionCompleted: 1,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  subOrchestrationCreated: 7,
  subOrchestrationCompleted: 8,
  subOrchestrationFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventRaised: 15,
  executionSuspended: 19,
  executionResumed: 20,
} as const;

interface EventBase {
  /** -1 unless the event schedules something: then the task's id. */
  readonly EventId: number;
  readonly IsPlayed: boolean;
  /** ISO 8601. */
  readonly Timestamp: string;
}

export interface ExecutionStarted extends EventBase {
  readonly EventType: 0;
  readonly Name: string;
  readonly Version: string | null;
  /** JSON text. */
  readonly Input: string | null;
  readonly ParentInstance: ParentInstance | null;
  readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
  readonly Tags: null;
}

/** Who waits for a sub-orchestration, and under which of its task ids. */
export interface ParentInstance {
  readonly Name: string;
  readonly TaskScheduleId: number;
  readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
}

export interface ExecutionCompleted extends EventBase {
  readonly EventType: 1;
  readonly OrchestrationStatus: "Completed" | "Failed";
  readonly Result: string | null;
  readonly FailureDetails: unknown;
}

export interface ExecutionTerminated extends EventBase {
  readonly EventType: 3;
  /** The reason that was given. */
  readonly Input: string;
}

/** What a scheduled event notes for us: which leaf of the action list it serves, and its how-manieth attempt it is. */
export interface LeafOf {
  readonly leaf: number;
  readonly attempt: number;
}

export interface TaskScheduled extends EventBase, LeafOf {
  readonly EventType: 4;
  readonly Name: string;
  readonly Version: null;
  /** JSON text of an array with the one input. */
  readonly Input: string;
}

export interface SubOrchestrationCreated extends EventBase, LeafOf {
  readonly EventType: 7;
  readonly Name: string;
  readonly Version: string | null;
  readonly InstanceId: string;
  readonly Input: string | null;
}

export interface TimerCreated extends EventBase, LeafOf {
  readonly EventType: 10;
  readonly FireAt: string;
  /** True: the wait before the next attempt of a retried task; false: a timer that the orchestrator asked for. */
  readonly retry: boolean;
}

/** Completed: an activity (5) or a sub-orchestration (8). `Result` is JSON text or null. */
export interface TaskCompleted extends EventBase {
  readonly EventType: 5 | 8;
  readonly TaskScheduledId: number;
  readonly Result: string | null;
}

/** Failed: an activity (6) or a sub-orchestration (9). Reason and Details must be strings, or the library throws an error of its own. */
export interface TaskFailed extends EventBase {
  readonly EventType: 6 | 9;
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string;
  readonly FailureDetails?: unknown;
}

export interface TimerFired extends EventBase {
  readonly EventType: 11;
  readonly TimerId: number;
  readonly FireAt: string;
}

export interface OrchestratorStarted extends EventBase {
  readonly EventType: 12;
}

/** The end of an episode, with what the episode taught us about the action list. */
export interface OrchestratorCompleted extends EventBase {
  readonly EventType: 13;
  /** One for each new position in the list, depth first: a new leaf, or the number of the leaf that was yielded again. */
  readonly leaves: readonly (LeafNote | number)[];
  /** Ids of timers that the orchestrator cancelled. */
  readonly cancelled: readonly number[];
}

/** A leaf of the action list: its signature, and how often it may be tried. */
export interface LeafNote {
  readonly kind: "activity" | "sub-orchestration" | "timer" | "event";
  /** Function or event; empty for a timer. */
  readonly name: string;
  /** 0: not retried. */
  readonly attempts: number;
}

export interface EventRaised extends EventBase {
  readonly EventType: 15;
  readonly Name: string;
  /** JSON text. */
  readonly Input: string;
}

/** Suspended (19) or resumed (20). */
export interface ExecutionPaused extends EventBase {
  readonly EventType: 19 | 20;
  readonly Reason: string;
}

export type HistoryEvent =
  | ExecutionStarted
  | ExecutionCompleted
  | ExecutionTerminated
  | TaskScheduled
  | SubOrchestrationCreated
  | TimerCreated
  | TaskCompleted
  | TaskFailed
  | TimerFired
  | OrchestratorStarted
  | OrchestratorCompleted
  | EventRaised
  | ExecutionPaused;

/** What comes to an instance from outside of an episode. */
export type Arrival = ExecutionStarted | TaskCompleted | TaskFailed | TimerFired | EventRaised | ExecutionTerminated | ExecutionPaused;

/** Numbers of the actions that the library returns. */
export const actionType = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
  lockEntities: 13,
  releaseEntities: 14,
} as const;

/** One entry of the returned action list. Which members are there depends on `actionType`; entries carry no ids. */
export interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly input?: unknown;
  readonly instanceId?: string;
  readonly version?: string;
  readonly retryOptions?: RetryOptions;
  /** A Date, or its JSON text where the state came through an error message. */
  readonly fireAt?: Date | string;
  readonly isCanceled?: boolean;
  readonly externalEventName?: string;
  readonly compoundActions?: readonly Action[];
}

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
  readonly maxRetryIntervalInMilliseconds?: number;
  readonly retryTimeoutInMilliseconds?: number;
}

/** What an episode returns. `actions` is cumulative since the start of this generation. */
export interface OrchestratorState {
  readonly isDone: boolean;
  readonly actions: readonly (readonly Action[])[];
  readonly output?: unknown;
  readonly error?: string;
  readonly customStatus?: unknown;
  readonly failureDetails?: unknown;
}

/** The value of the orchestration trigger. */
export interface TriggerValue {
  readonly history: readonly HistoryEvent[];
  /** Parsed, not JSON text. */
  readonly input: unknown;
  readonly instanceId: string;
  readonly parentInstanceId: string | null;
  readonly isReplaying: boolean;
  readonly upperSchemaVersion: number;
  readonly upperSchemaVersionNew: number;
  readonly maximumShortTimerDuration: string;
  readonly longRunningTimerIntervalDuration: string;
  readonly defaultHttpAsyncRequestSleepTimeMillseconds: number;
}

/** The constant part of the trigger value; 2 is replay schema V3, what the released extension sends (V4 would add entity locks). */
export const triggerConstants = {
  upperSchemaVersion: 1,
  upperSchemaVersionNew: 2,
  maximumShortTimerDuration: "6.00:00:00",
  longRunningTimerIntervalDuration: "3.00:00:00",
  defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
} as const;

/** Custom status larger than this fails the instance: 16 KB of UTF-16, as on Azure. */
export const customStatusBytesMax = 16 * 1024;

/** A history event of the host's own making, stamped. */
export function stamp(at: number): EventBase {
  return { EventId: -1, IsPlayed: true, Timestamp: new Date(at).toISOString() };
}
