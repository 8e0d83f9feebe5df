import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Hosts } from "../../shared/azure/transport.ts";
import type { LabClock } from "../clock.ts";
import { adminMount } from "./admin.ts";
import { installAppClock } from "./app-clock.ts";
import { openBindings, refuseUnknownBindings } from "./bindings.ts";
import type { Engine, EngineEvent, EngineProblem, Mount, OpenEngine } from "./contract.ts";
import { loadApp, type HostedApp } from "./core-api.ts";
import { engineApp } from "./engine-app.ts";
import { readHostJson, type HostJson } from "./host-json.ts";
import { httpFunctions } from "./http-functions.ts";
import { listenHttp } from "./http-server.ts";
import { openKeys, type HostKeys } from "./keys.ts";
import type { HostLog } from "./log.ts";
import { type StartFault, withStartFault } from "./start-fault.ts";
import { openTriggers } from "./triggers/open-triggers.ts";

/** How long requests may still run when the host closes, wall time. */
const closeMsMax = 10_000;

export interface HostOptions {
  /** Holds package.json, host.json and the compiled app. */
  readonly appDirectory: string;
  /** Keys, journal, receipts: all that outlives the process. */
  readonly stateDirectory: string;
  readonly clock: LabClock;
  /** 0 takes a free one. */
  readonly port: number;
  /** The environment that the app reads; the host adds what Azure would add. */
  readonly environment: Record<string, string | undefined>;
  /** Hosts of blob triggers' accounts that are at other addresses. */
  readonly hosts?: Hosts;
  /** These instead of what the state directory holds. */
  readonly keys?: Parameters<typeof openKeys>[1];
  /** Null: durable functions are loaded, and never run. */
  readonly openEngine: OpenEngine | null;
  /** Whether a pitfall of orchestrations fails the instance; the default is `fail`. */
  readonly strict?: "fail" | "warn";
  /** Pause between two looks of a blob trigger, lab time; the default is ten seconds. */
  readonly blobPollMs?: number;
  /** A start of an orchestration that goes wrong, once. */
  readonly startFault?: StartFault;
  readonly log: HostLog;
  readonly onProblem?: (problem: EngineProblem) => void;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** A function app that runs. */
export interface Host {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly keys: HostKeys;
  readonly app: HostedApp;
  readonly engine: Engine | null;
  /** Takes nothing new, lets what runs come to its end, stops. */
  close(): Promise<void>;
}

/** Opens the one function app of this process: clock, address, app, engine, triggers, in this order. Nothing stays open when it fails. */
export async function openHost(options: HostOptions): Promise<Host> {
  const undo: (() => unknown)[] = [];
  try {
    return await open(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function open(options: HostOptions, undo: (() => unknown)[]): Promise<Host> {
  const { appDirectory, stateDirectory, clock, environment, log } = options;
  await mkdir(stateDirectory, { recursive: true });
  const restoreDate = installAppClock(clock);
  undo.push(restoreDate);
  const listener = await listenHttp({ port: options.port, clock, log });
  undo.push(() => listener.close());
  setPlatformVariables(environment, listener.url);

  const hostJson = await readHostJson(appDirectory);
  const keys = await openKeys(stateDirectory, options.keys);
  const app = await loadApp({ appDirectory, log });
  const functions = [...app.functions.values()];
  refuseUnknownBindings(functions);
  for (const { name, hasRetryPolicy } of functions) {
    if (hasRetryPolicy) log({ level: "warning", category: "system", functionName: name, message: "its retry policy is not obeyed here: a failing run is over" });
  }

  let engine: Engine | null = null;
  const bindings = openBindings(options.openEngine && (() => openedEngine(engine).durableClient(listener.url)));
  if (options.openEngine) {
    engine = await options.openEngine(engineOptions(options, hostJson, keys, engineApp(app, bindings)));
    undo.push(() => engine?.close());
  }
  const shared = { app, bindings, keys, clock, log };
  // The engine goes on before the triggers start: what they begin joins what was under way.
  engine?.start();
  const triggers = await openTriggers(functions, { ...shared, settings: environment, stateDirectory, hosts: options.hosts ?? {}, pollMs: options.blobPollMs ?? 10_000 });
  let closing = false;
  const refuseWhenClosing: Mount = (_, response) => {
    if (closing) response.writeHead(503, { connection: "close" }).end();
    return closing;
  };
  listener.serve([
    ...(engine ? [options.startFault ? withStartFault(engine.mount, options.startFault) : engine.mount] : []),
    refuseWhenClosing,
    adminMount({ ...shared, triggers, startedAt: clock.now() }),
    httpFunctions({ ...shared, routePrefix: hostJson.extensions.http.routePrefix }),
  ]);

  return {
    url: listener.url,
    keys,
    app,
    engine,
    async close() {
      closing = true;
      // What runs may still call the durable client, which comes back to us by HTTP: the engine and its address go last.
      await Promise.all([listener.drained(closeMsMax), ...[...triggers.values()].map((trigger) => trigger.close())]);
      await engine?.close();
      await listener.close();
      await app.terminate();
      restoreDate();
    },
  };
}

function openedEngine(engine: Engine | null): Engine {
  if (!engine) throw new Error("the durable engine is not open yet");
  return engine;
}

function engineOptions(options: HostOptions, hostJson: HostJson, keys: HostKeys, app: ReturnType<typeof engineApp>): Parameters<OpenEngine>[0] {
  const { hubName, defaultVersion, versionMatchStrategy, versionFailureStrategy, maxConcurrentActivityFunctions } = hostJson.extensions.durableTask;
  const code = keys.system.durabletask_extension;
  return {
    app,
    clock: options.clock,
    journalFile: join(options.stateDirectory, "durable.jsonl"),
    strict: options.strict ?? "fail",
    problems: (problem) => {
      options.log({ level: "error", category: "system", message: `${problem.rule} in ${problem.instanceId}: ${problem.message}` });
      options.onProblem?.(problem);
    },
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
    ...(code === undefined ? {} : { code }),
    ...(hubName === undefined ? {} : { taskHub: hubName }),
    ...(defaultVersion === undefined ? {} : { defaultVersion }),
    ...(versionMatchStrategy === undefined ? {} : { versionMatchStrategy }),
    ...(versionFailureStrategy === undefined ? {} : { versionFailureStrategy }),
    ...(maxConcurrentActivityFunctions === undefined ? {} : { activityConcurrency: maxConcurrentActivityFunctions }),
  };
}

/**
 * What the platform sets. Without WEBSITE_HOSTNAME the durable client rewrites every URL to localhost:7071; without NO_PROXY its calls
 * to this host would go to a proxy.
 */
function setPlatformVariables(environment: Record<string, string | undefined>, url: string): void {
  environment.WEBSITE_HOSTNAME = new URL(url).host;
  environment.FUNCTIONS_WORKER_RUNTIME ??= "node";
  const direct = new Set([...(environment.NO_PROXY ?? environment.no_proxy ?? "").split(",").filter(Boolean), "127.0.0.1", "localhost"]);
  environment.NO_PROXY = [...direct].join(",");
  environment.no_proxy = environment.NO_PROXY;
}
