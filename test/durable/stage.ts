import { fileURLToPath } from "node:url";
import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { afterEach, beforeAll } from "vitest";
import type { EngineApp, EngineEvent, EngineOptions, EngineProblem } from "../../lab/host/contract.ts";
import { loadApp } from "../../lab/host/core-api.ts";
import { openEngine, type DurableEngine, type EngineTestOptions } from "../../lab/host/durable/engine.ts";
import { isFinished } from "../../lab/host/durable/new-instance.ts";
import type { InstanceRow } from "../../lab/host/durable/store.ts";
import { engineApp } from "../../lab/host/engine-app.ts";
import { listenHttp } from "../../lab/host/http-server.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What the app of this process will register. */
export interface Collected {
  readonly orchestrations: Map<string, df.OrchestrationHandler>;
  readonly activities: Map<string, df.ActivityHandler>;
}

/** One engine over the loaded app, on a clock that moves when everything else stands still. */
export interface Run {
  readonly engine: DurableEngine;
  readonly clock: VirtualClock;
  readonly problems: EngineProblem[];
  readonly events: EngineEvent[];
  /** Starts an instance and answers its id. */
  readonly start: (name: string, input?: unknown, instanceId?: string) => string;
  readonly raise: (instanceId: string, name: string, value: unknown) => void;
  /** The row, now. */
  readonly row: (instanceId: string) => InstanceRow;
  /** Lets time go on until the instance has ended; fails when nothing is due any more. */
  readonly ended: (instanceId: string) => Promise<InstanceRow>;
  /** The parsed output of an instance that completes. */
  readonly result: (name: string, input?: unknown) => Promise<unknown>;
  /** The failure text of an instance that fails. */
  readonly failure: (name: string, input?: unknown) => Promise<string>;
  /** Serves the durable API on loopback and answers the library's own client for it. */
  readonly serve: () => Promise<{ readonly url: string; readonly client: df.DurableClient }>;
}

const collectedApp = fileURLToPath(new URL("apps/collected", import.meta.url));

/** Collects the app of one test file and opens engines over it. Everything must be collected while the file is read. */
export function stage(appDirectory = collectedApp) {
  const collected: Collected = { orchestrations: new Map(), activities: new Map() };
  const closers: (() => Promise<void>)[] = [];
  let app: EngineApp;

  beforeAll(async () => {
    (globalThis as unknown as { collected: Collected }).collected = collected;
    process.env.WEBSITE_HOSTNAME = "127.0.0.1";
    process.env.NO_PROXY = "127.0.0.1,localhost";
    app = engineApp(await loadApp({ appDirectory, log: () => {} }), { inputsFor: () => [] });
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  return {
    orchestration: (name: string, handler: df.OrchestrationHandler) => void collected.orchestrations.set(name, handler),
    activity: (name: string, handler: df.ActivityHandler) => void collected.activities.set(name, handler),
    /** The loaded app, for a test that puts something between it and the engine. */
    app: () => app,
    open: async (options: Partial<EngineOptions> & EngineTestOptions & { clock?: VirtualClock } = {}): Promise<Run> => {
      const clock = options.clock ?? new VirtualClock();
      const problems: EngineProblem[] = [];
      const events: EngineEvent[] = [];
      const engine = await openEngine({
        app,
        journalFile: null,
        strict: "fail",
        problems: (problem) => problems.push(problem),
        onEvent: (event) => events.push(event),
        ...options,
        clock,
      });
      closers.push(() => engine.close());
      engine.start();
      return runOf(engine, clock, problems, events, closers);
    },
  };
}

function runOf(engine: DurableEngine, clock: VirtualClock, problems: EngineProblem[], events: EngineEvent[], closers: (() => Promise<void>)[]): Run {
  const run: Run = {
    engine,
    clock,
    problems,
    events,
    start(name, input, instanceId) {
      const answer = engine.instances.start({ name, instanceId: instanceId ?? null, input: input === undefined ? null : JSON.stringify(input), version: null });
      if (answer.kind !== "started") throw new Error(answer.why);
      return answer.instanceId;
    },
    raise(instanceId, name, value) {
      const answer = engine.instances.raise(instanceId, name, JSON.stringify(value));
      if (answer !== "accepted") throw new Error(`${instanceId} is ${answer}`);
    },
    row(instanceId) {
      const row = engine.instances.row(instanceId);
      if (!row) throw new Error(`no instance ${instanceId}`);
      return row;
    },
    async ended(instanceId) {
      for (;;) {
        await engine.idle();
        const row = run.row(instanceId);
        if (isFinished(row)) return row;
        if (!clock.advanceToNext()) throw new Error(`${instanceId} is ${row.status} and nothing is due`);
      }
    },
    async result(name, input) {
      const { status, output } = await run.ended(run.start(name, input));
      if (status !== "Completed") throw new Error(`${name} is ${status}: ${output}`);
      return output === null ? undefined : (JSON.parse(output) as unknown);
    },
    async failure(name, input) {
      const { status, output } = await run.ended(run.start(name, input));
      if (status !== "Failed") throw new Error(`${name} is ${status}: ${output}`);
      return output ?? "";
    },
    async serve() {
      const listener = await listenHttp({ port: 0, clock, log: () => {} });
      listener.serve([engine.mount]);
      closers.unshift(() => listener.close());
      return { url: listener.url, client: clientOf(engine, listener.url) };
    },
  };
  return run;
}

/** The library's client, as a handler with a durableClient input gets it. */
export function clientOf(engine: DurableEngine, url: string): df.DurableClient {
  const input = df.input.durableClient();
  const extraInputs = { get: () => JSON.parse(JSON.stringify(engine.durableClient(url))) as unknown };
  // The library reads these two members of a context and no others.
  return df.getClient({ options: { extraInputs: [input] }, extraInputs } as unknown as InvocationContext);
}
