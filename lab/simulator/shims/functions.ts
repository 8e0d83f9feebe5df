/**
 * Both Functions libraries, as far as the app registers with them: what it registers is kept, and the simulated hosts run it. The names
 * are the libraries' own.
 */
import type { OrchestratorBody } from "../durable/player.ts";

export interface HttpRequest {
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  text(): Promise<string>;
}
export interface HttpAnswer {
  readonly status: number;
  readonly jsonBody?: unknown;
  readonly body?: string;
}
/** What the app says in its log is no part of a run. */
export interface Context {
  readonly functionName: string;
  log(event: string, fields?: unknown): void;
  warn(event: string, fields?: unknown): void;
  error(event: string, fields?: unknown): void;
  debug(event: string, fields?: unknown): void;
  readonly [durableClient]?: unknown;
}
/** In the context itself: a map that outlives runs holds what is in it until all memory is gone through, whoever has forgotten it. */
const durableClient = Symbol("durable client");
export type HttpHandler = (request: HttpRequest, client: unknown, context: Context) => Promise<HttpAnswer>;
export type TimerHandler = (timer: unknown, client: unknown, context: Context) => Promise<void>;
export type ActivityHandler = (input: unknown, context: Context) => Promise<unknown>;

/** Everything that one app has registered. */
export interface Registered {
  readonly orchestrators: Map<string, OrchestratorBody>;
  readonly activities: Map<string, ActivityHandler>;
  readonly http: Map<string, HttpHandler>;
  readonly timers: Map<string, TimerHandler>;
}

let registering: Registered | null = null;

/** Runs what registers an app, and gives back what it registered. */
export function registered(register: () => void): Registered {
  const all: Registered = { orchestrators: new Map(), activities: new Map(), http: new Map(), timers: new Map() };
  registering = all;
  try {
    register();
  } finally {
    registering = null;
  }
  return all;
}

function open(): Registered {
  if (registering === null) throw new Error("something registers outside of the app's own registration");
  return registering;
}

export const app = {
  orchestration: (name: string, body: OrchestratorBody) => void open().orchestrators.set(name, body),
  activity: (name: string, { handler }: { readonly handler: ActivityHandler }) => void open().activities.set(name, handler),
  /** A route whose handler asks for its durable client by itself, or needs none. */
  http: (name: string, { handler }: { readonly handler: (request: HttpRequest, context: Context) => Promise<HttpAnswer> }) =>
    void open().http.set(name, (request, client, context) => handler(request, { ...context, [durableClient]: client })),
  client: {
    http: (name: string, { handler }: { readonly handler: HttpHandler }) => void open().http.set(name, handler),
    timer: (name: string, { handler }: { readonly handler: TimerHandler }) => void open().timers.set(name, handler),
    /** Backups that arrive are checked by the timer's verification in a simulation. */
    storageBlob: () => undefined,
  },
};

export const input = { durableClient: () => ({ type: "durableClient" }) };
export const getClient = (context: Context): unknown => context[durableClient];
