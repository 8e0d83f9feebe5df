/**
 * The desk: all that a runbook can do to the world, and the only orchestration file that knows Durable Functions.
 *
 * What a plain orchestrator would write again and again is here once: typed answers, retry with jitter from the instance's own name,
 * bounds, waiting for several things that all end, questions answered by the ledger, the timeline. Three choices follow from how the
 * library behaves (docs/decisions/0002-the-desk.md): activities answer "try again" with a value, so no task ever fails; what runs side
 * by side is one `Task.all` of child instances; every poll loop is an instance of its own that starts itself anew, so histories stay short.
 */
import * as df from "durable-functions";
import type { OrchestrationContext, Task } from "durable-functions";
import { fingerprint } from "../shared/domain/fingerprint.ts";
import type { Phase } from "../shared/domain/outcome.ts";
import type { Asked, Look, RunRef, Step, StepAnswer, StepCall } from "./step.ts";
import { deskSteps } from "./step.ts";

/** A runbook yields durable tasks and nothing else, so replay is the only way it moves. */
export type Runbook<Out> = Generator<Task, Out, unknown>;

/** All that a runbook can do to the world. */
export interface Desk {
  /** Runs one step to its answer; `key` tells apart several calls of one step in a phase. */
  run<In, Out>(step: Step<In, Out>, input: In, key?: string): Runbook<Out>;
  /** Asks a step again and again until it is done, or until the time is up (`late`). Being unable to look is no answer and is asked again. */
  until<In, Out>(step: Step<In, Look<Out>>, input: In, waiting: Waiting, key?: string): Runbook<Waited<Out>>;
  /** Named things side by side; goes on when every one has ended, and fails then if one failed. */
  together<M extends Readonly<Record<string, Member<unknown>>>>(members: M): Runbook<{ [K in keyof M]: M[K] extends Member<infer Out> ? Out : never }>;
  /** One runbook over a list, side by side. */
  each<In, Out>(runbook: RunbookDefinition<In, Out>, inputs: readonly { readonly key: string; readonly input: In }[]): Runbook<Out[]>;
  /** A runbook as an instance of its own. */
  child<In, Out>(runbook: RunbookDefinition<In, Out>, input: In): Runbook<Out>;
  /** Puts a question into the ledger and waits for what the ledger says of it. */
  ask(question: Asked): Runbook<Answer>;
  /** Ends the phase we are in, as `ended` says, and begins the next; stops here when abort was asked. */
  phase(phase: Phase, ended?: string): Runbook<void>;
  /** The last phase that was begun here. */
  reached(): Phase;
  /** The runbook's own time, UTC milliseconds: the same on every replay. */
  now(): number;
  readonly ref: RunRef;
}

export interface Waiting {
  /** The first pause; the next ones are a tenth of what was already spent, up to `pauseMsMax`. */
  readonly pauseMsFirst: number;
  readonly pauseMsMax: number;
  readonly deadlineMs: number;
}

export type Waited<Out> = { readonly kind: "done"; readonly value: Out } | { readonly kind: "late"; readonly about: string };
export type Answer = { readonly kind: "go"; readonly by: readonly string[] } | { readonly kind: "declined"; readonly why: string };

/** Something that can stand beside others in `together`. Made by `call` and `start`. */
export interface Member<Out> {
  readonly orchestrator: string;
  readonly input: unknown;
  readonly phase: Phase | null;
  /** Never set: carries the answer's type. */
  readonly answers?: Out;
}

/** One step as a member of `together`. */
export const call = <In, Out>(step: Step<In, Out>, input: In, key = ""): Member<Out> => ({ orchestrator: "run-step", input: { step: step.name, attempts: step.attempts, key, input } satisfies OneStep, phase: null });
/** One runbook as a member of `together`. */
export const start = <In, Out>(runbook: RunbookDefinition<In, Out>, input: In): Member<Out> => ({ orchestrator: runbook.name, input, phase: runbook.phase });

/** A step did not answer after every attempt, or may not act any more. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  readonly step: string;
  readonly because: string;
  /** Where it failed; null: in the phase the runbook is in. */
  readonly phase: Phase | null;
  /** The ledger has gone on without this run: whatever is left to do is not this run's to do. */
  readonly superseded: boolean;
  constructor(step: string, because: string, phase: Phase | null = null, superseded = false) {
    super(`${step}: ${because}`);
    this.step = step;
    this.because = because;
    this.phase = phase;
    this.superseded = superseded;
  }
}

/** Abort was asked, and found at the border of two phases, before an act, or in a wait. */
export class AbortAsked extends Error {
  override readonly name = "AbortAsked";
  readonly by: string;
  constructor(by: string) {
    super(`abort was asked by ${by}`);
    this.by = by;
  }
}

/** How a step ended that may fail. */
export type Tried<Out> = { readonly kind: "done"; readonly value: Out } | { readonly kind: "failed"; readonly because: string };

/** A step that may fail without keeping the next one from being taken. */
export function* tried<Out>(step: Runbook<Out>): Runbook<Tried<Out>> {
  try {
    return { kind: "done", value: yield* step };
  } catch (error) {
    if (!(error instanceof StepFailed) || error.superseded) throw error;
    return { kind: "failed", because: error.because };
  }
}

export interface RunbookDefinition<In, Out> {
  readonly name: string;
  /** The phase that this runbook is, when it runs as a child. */
  readonly phase: Phase | null;
  readonly body: (desk: Desk, input: In) => Runbook<Out>;
}

export function defineRunbook<In, Out>(name: string, body: (desk: Desk, input: In) => Runbook<Out>, phase: Phase | null = null): RunbookDefinition<In, Out> {
  return { name, phase, body };
}

/** What every instance is started with. */
export interface Started<In> {
  readonly ref: RunRef;
  readonly phase: Phase | null;
  readonly input: In;
}

/** How every child instance ends: with a value, whatever happened, so that no sibling is left behind. */
type Ended<Out> =
  | { readonly kind: "done"; readonly value: Out }
  | { readonly kind: "failed"; readonly step: string; readonly because: string; readonly phase: Phase | null; readonly superseded: boolean }
  | { readonly kind: "aborted"; readonly by: string };

/** The one bell. Whoever changed the ledger rings it; it carries nothing. */
export const bell = "bell";
/** The instance that waits for a run's decision, so that a door can ring it. */
export const askInstance = (runId: string): string => `${runId}--ask`;

/** Registers the runbooks and the three instances the desk itself needs. Called once, by functions/app.ts. */
export function registerRunbooks(definitions: readonly RunbookDefinition<never, unknown>[]): void {
  for (const { name, phase, body } of definitions) register(name, phase, body);
  register("run-step", null, (desk, { step, attempts, key, input }: OneStep) => desk.run({ name: step, attempts, records: "nothing" }, input, key));
  df.app.orchestration("watch-step", watchStep);
  df.app.orchestration("wait-for-answer", waitForAnswer);
}

function register(name: string, ownPhase: Phase | null, body: (desk: Desk, input: never) => Runbook<unknown>): void {
  df.app.orchestration(name, function* (context): Runbook<Ended<unknown>> {
    const { ref, phase, input } = context.df.getInput<Started<never>>();
    const desk = new DurableDesk(context, ref, ownPhase === null ? phase : null);
    const ended = yield* endOf(desk, ownPhase, body, input);
    // A phase that cannot be ended in the ledger is no reason to lose what came of it: the run's own end says the rest.
    if (ownPhase !== null && ended.kind !== "done") yield* endOf(desk, null, () => desk.endPhase(ended.kind), null);
    return ended;
  });
}

/** Runs a body to its end, whatever that is. What is neither an abort nor a step that failed is a mistake of ours, and thrown. */
function* endOf<In>(desk: DurableDesk, ownPhase: Phase | null, body: (desk: Desk, input: In) => Runbook<unknown>, input: In): Runbook<Ended<unknown>> {
  try {
    if (ownPhase !== null) yield* desk.phase(ownPhase);
    const value = yield* body(desk, input);
    if (ownPhase !== null) yield* desk.endPhase("done");
    return { kind: "done", value };
  } catch (error) {
    if (error instanceof AbortAsked) return { kind: "aborted", by: error.by };
    if (error instanceof StepFailed) return failed(error, ownPhase);
    throw error;
  }
}

const failed = ({ step, because, phase, superseded }: StepFailed, ownPhase: Phase | null): Ended<never> => ({ kind: "failed", step, because, phase: phase ?? ownPhase, superseded });

/** One step as the input of an instance of its own. */
interface OneStep {
  readonly step: string;
  readonly attempts: number;
  readonly key: string;
  readonly input: unknown;
}

const pauseMsFirst = 1_000;
const pauseMsMax = 30_000;
/** Polls of one generation: each poll replays those before it, so a long wait costs by the square of this. Four are about 35 history events. */
const pollsPerGeneration = 4;

class DurableDesk implements Desk {
  readonly ref: RunRef;
  readonly #context: OrchestrationContext;
  #phase: Phase | null;
  /** Whether the phase was begun by this instance, and so is ours to end. */
  #owns = false;
  #children = 0;

  constructor(context: OrchestrationContext, ref: RunRef, phase: Phase | null) {
    this.#context = context;
    this.ref = ref;
    this.#phase = phase;
  }

  now(): number {
    return this.#context.df.currentUtcDateTime.getTime();
  }

  *run<In, Out>(step: Step<In, Out>, input: In, key = ""): Runbook<Out> {
    for (let attempt = 1; ; attempt++) {
      const answer = yield* askOnce(this.#context, step.name, this.#call(step.name, key, input));
      if (answer.kind === "answer") return answer.value as Out;
      if (answer.kind === "aborted") throw new AbortAsked(answer.by);
      if (answer.kind === "superseded" || attempt >= step.attempts) throw new StepFailed(step.name, answer.because, this.#phase, answer.kind === "superseded");
      yield* pause(this.#context, pauseMs(`${this.#context.df.instanceId}/${step.name}/${key}`, attempt, answer.retryAfterSeconds));
    }
  }

  *until<In, Out>(step: Step<In, Look<Out>>, input: In, waiting: Waiting, key = ""): Runbook<Waited<Out>> {
    const watch: Watch = { call: this.#call(step.name, key, input), waiting, startedAt: this.now(), state: null };
    return (yield* this.#ended("watch-step", watch)) as Waited<Out>;
  }

  *together<M extends Readonly<Record<string, Member<unknown>>>>(members: M): Runbook<{ [K in keyof M]: M[K] extends Member<infer Out> ? Out : never }> {
    const names = Object.keys(members);
    if (Object.values(members).some(({ phase }) => phase !== null)) yield* this.endPhase("done");
    const answers = yield* this.#all(Object.values(members));
    return Object.fromEntries(names.map((name, at) => [name, answers[at]])) as { [K in keyof M]: M[K] extends Member<infer Out> ? Out : never };
  }

  *each<In, Out>(runbook: RunbookDefinition<In, Out>, inputs: readonly { readonly key: string; readonly input: In }[]): Runbook<Out[]> {
    if (inputs.length === 0) return [];
    return (yield* this.#all(inputs.map(({ input }) => start(runbook, input)))) as Out[];
  }

  *child<In, Out>(runbook: RunbookDefinition<In, Out>, input: In): Runbook<Out> {
    if (runbook.phase !== null) yield* this.endPhase("done");
    return valueOf((yield* joined(runbook.name, this.#child(start(runbook, input)))) as Ended<Out>);
  }

  *ask(question: Asked): Runbook<Answer> {
    const waiting: AnswerWait = { call: this.#call(deskSteps.putQuestion.name, "", question), startedAt: this.now(), until: this.now() + question.expiresSeconds * 1_000 + ledgerSilentMsMax };
    return (yield* this.#ended("wait-for-answer", waiting, askInstance(this.ref.runId))) as Answer;
  }

  *phase(phase: Phase, ended = "done"): Runbook<void> {
    const end = this.#phase !== null && this.#owns ? { phase: this.#phase, outcome: ended } : null;
    const turned = yield* this.run(deskSteps.turnPhase, { end, begin: phase }, phase);
    this.#phase = phase;
    this.#owns = true;
    this.#context.df.setCustomStatus({ phase, since: this.now() });
    // What stands down or is being reported cannot be aborted any more.
    if (turned.abortBy !== null && phase !== "stand-down" && phase !== "report") throw new AbortAsked(turned.abortBy);
  }

  reached(): Phase {
    return this.#phase ?? "accept";
  }

  /** Ends the phase this instance began, if it is still in one. */
  *endPhase(outcome: string): Runbook<void> {
    if (this.#phase === null || !this.#owns) return;
    yield* this.run(deskSteps.turnPhase, { end: { phase: this.#phase, outcome }, begin: null }, `${this.#phase}-ended`);
    this.#owns = false;
  }

  #call(step: string, key: string, input: unknown): StepCall {
    return { ref: this.ref, phase: this.#phase, step, key, input };
  }

  #child(member: Member<unknown>): Task {
    const id = `${this.#context.df.instanceId}--${++this.#children}`;
    const input: Started<unknown> = { ref: this.ref, phase: this.#phase, input: member.input };
    return this.#context.df.callSubOrchestrator(member.orchestrator, input, id);
  }

  /** One `Task.all` over children that end with a value each, so that it never fails before all of them have ended. */
  *#all(members: readonly Member<unknown>[]): Runbook<unknown[]> {
    const ended = (yield* joined(members.map(({ orchestrator }) => orchestrator).join(" and "), this.#context.df.Task.all(members.map((member) => this.#child(member))))) as Ended<unknown>[];
    return ended.map(valueOf);
  }

  /** A desk instance of our own, which takes its input bare. */
  *#ended(orchestrator: string, input: unknown, id = `${this.#context.df.instanceId}--${++this.#children}`): Runbook<unknown> {
    return valueOf((yield* joined(orchestrator, this.#context.df.callSubOrchestrator(orchestrator, input, id))) as Ended<unknown>);
  }
}

/** A child answers with a value, always. One that breaks all the same (a mistake of ours, or the host's) is a step that failed. */
function* joined(name: string, task: Task): Runbook<unknown> {
  try {
    return yield task;
  } catch (error) {
    throw new StepFailed(name, firstLine(error));
  }
}

function valueOf<Out>(ended: Ended<Out>): Out {
  switch (ended.kind) {
    case "done":
      return ended.value;
    case "failed":
      throw new StepFailed(ended.step, ended.because, ended.phase, ended.superseded);
    case "aborted":
      throw new AbortAsked(ended.by);
  }
}

/** One call of an activity. Failing is the host's doing (a worker died, the function is missing): the activity itself always answers. */
function* askOnce(context: OrchestrationContext, step: string, call: StepCall): Runbook<StepAnswer> {
  try {
    return (yield context.df.callActivity(step, call)) as StepAnswer;
  } catch (error) {
    return { kind: "again", because: firstLine(error), retryAfterSeconds: null };
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";

function* pause(context: OrchestrationContext, ms: number): Runbook<void> {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}

interface Watch {
  readonly call: StepCall;
  readonly waiting: Waiting;
  readonly startedAt: number;
  /** What the step gave us to carry to its next look. */
  readonly state: unknown;
}

/** Polls one step. Starts itself anew before its history grows long. */
function* watchStep(context: OrchestrationContext): Runbook<Ended<Waited<unknown>> | undefined> {
  const watch = context.df.getInput<Watch>();
  const { call, waiting, startedAt } = watch;
  let state = watch.state;
  for (let poll = 0; poll < pollsPerGeneration; poll++) {
    const answer = yield* askOnce(context, call.step, { ...call, watched: true, input: { ...(call.input as object), state } });
    if (answer.kind === "aborted") return { kind: "aborted", by: answer.by };
    if (answer.kind === "superseded") return failed(new StepFailed(call.step, answer.because, call.phase, true), null);
    const look: Look<unknown> = answer.kind === "answer" ? (answer.value as Look<unknown>) : { kind: "not-yet", about: answer.because };
    if (look.kind === "done") return { kind: "done", value: { kind: "done", value: look.value } };
    state = look.state ?? state;
    const spentMs = context.df.currentUtcDateTime.getTime() - startedAt;
    if (spentMs >= waiting.deadlineMs) return { kind: "done", value: { kind: "late", about: look.about } };
    yield* pause(context, Math.min(growingMs(waiting, spentMs), waiting.deadlineMs - spentMs));
  }
  context.df.continueAsNew({ ...watch, state });
  return undefined;
}

/** The ledger is read even if no bell rings: a lost bell costs this long or a tenth of what was waited already, never a decision. */
const bellPauses = { pauseMsFirst: 15_000, pauseMsMax: 60_000 } as const;
/** The clocks of hosts differ: who looks right after a question has expired must not find it open for another pause. */
const expiredMs = 1_000;

/** A question expires by the ledger's word. A ledger that says nothing for this long after that is a failure. */
const ledgerSilentMsMax = 600_000;

interface AnswerWait {
  readonly call: StepCall;
  readonly startedAt: number;
  readonly until: number;
}

/** Puts the question, then reads the ledger after each bell and each pause until it holds an answer. */
function* waitForAnswer(context: OrchestrationContext): Runbook<Ended<Answer> | undefined> {
  const wait = context.df.getInput<AnswerWait>();
  const { call, startedAt, until } = wait;
  for (let poll = 0; poll < pollsPerGeneration; poll++) {
    const answer = yield* askOnce(context, call.step, call);
    if (answer.kind === "aborted") return { kind: "aborted", by: answer.by };
    if (answer.kind === "superseded") return failed(new StepFailed(call.step, answer.because, call.phase, true), null);
    const verdict = answer.kind === "answer" ? (answer.value as Answer | { kind: "waiting"; expiresAt: number } | { kind: "aborted"; by: string }) : ({ kind: "waiting", expiresAt: 0 } as const);
    if (verdict.kind === "aborted") return { kind: "aborted", by: verdict.by };
    if (verdict.kind !== "waiting") return { kind: "done", value: verdict };
    const at = context.df.currentUtcDateTime.getTime();
    if (at >= until) return failed(new StepFailed(call.step, answer.kind === "again" ? answer.because : "the ledger lets the question stand although it has expired", call.phase), null);
    const rung = context.df.waitForExternalEvent(bell);
    const timer = context.df.createTimer(new Date(nextLookAt(at, startedAt, verdict.expiresAt)));
    yield context.df.Task.any([rung, timer]);
    if (!timer.isCompleted) timer.cancel();
  }
  context.df.continueAsNew(wait);
  return undefined;
}

/** Short at first, then a tenth of what was waited already: who has waited long minds little more. */
const growingMs = ({ pauseMsFirst: first, pauseMsMax: most }: Pick<Waiting, "pauseMsFirst" | "pauseMsMax">, spentMs: number): number => Math.min(Math.max(first, spentMs / 10), most);

/** When nobody has rung: later and later, and at once when the question has expired. */
function nextLookAt(at: number, startedAt: number, expiresAt: number): number {
  const usualAt = at + growingMs(bellPauses, at - startedAt);
  return expiresAt < at ? usualAt : Math.min(usualAt, expiresAt + expiredMs);
}

/** Doubles with each attempt, at least what the service asked for, spread by a jitter that is the same on every replay. */
export function pauseMs(seed: string, attempt: number, retryAfterSeconds: number | null): number {
  const doubled = Math.min(pauseMsFirst * 2 ** (attempt - 1), pauseMsMax);
  return Math.max(Math.round(doubled * (0.5 + 0.5 * (fingerprint(`${seed}/${attempt}`) / 2 ** 32))), (retryAfterSeconds ?? 0) * 1_000);
}
