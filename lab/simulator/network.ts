/**
 * Between a host and the world: every call takes time, is answered or not, and may be struck by a fault on its way out or back. What
 * happens in the world happens there whatever becomes of the host.
 */
import { WorldError } from "../../shared/ports.ts";
import type { RegionName } from "../world/pair.ts";
import type { LabWorld } from "../world/world.ts";
import type { Random } from "./time/random.ts";
import { nature, type Owner, type Scheduler } from "./time/scheduler.ts";

/** One call of a port's method. */
export interface Asked {
  /** `home`, `clusters`, `traffic` … */
  readonly port: string;
  readonly op: string;
  readonly thing: string;
  /** The region that answers; null: neither. */
  readonly region: RegionName | null;
  readonly mutating: boolean;
  readonly fastMs: number;
  readonly slowMs: number;
  /** After how long the client gives up; default 30 s, as the adapters are set. */
  readonly deadlineMs?: number;
}

/** What may happen to a call. `delayMs` of `late-effect` is beyond the client's deadline: it takes place when nobody waits for it any more. */
export type CallFault =
  | { readonly kind: "refused" | "lost-answer" | "cut-off" }
  | { readonly kind: "throttled"; readonly retryAfterSeconds: number }
  | { readonly kind: "slow" | "late-effect"; readonly delayMs: number };

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly world: Pick<LabWorld, "reach">;
  /** Which fault hits this call, if any. Used up by asking. */
  readonly faultFor: (host: string, asked: Asked) => CallFault | null;
  readonly told: (host: string, what: string) => void;
  /** In which of the crash modes that are about a call the host dies now; `null`: in none. */
  readonly strike: (asked: Asked) => 2 | 3 | 4 | 5 | null;
  /** Ends the host that asks. */
  readonly die: (about: string, afterMs: number) => void;
}

const deadlineMsDefault = 30_000;

export class Network {
  readonly #options: NetworkOptions;
  readonly #host: Owner;
  readonly #sent: (about: string) => void;
  readonly #answered: (about: string) => void;

  /** `sent` and `answered` are asked at each call: they may strike the host down. */
  constructor(host: Owner, options: NetworkOptions, sent: (about: string) => void, answered: (about: string) => void) {
    this.#host = host;
    this.#options = options;
    this.#sent = sent;
    this.#answered = answered;
  }

  /** Does `work` in the world, at once and whole, and brings its answer back. Throws a `WorldError` where nothing came back. */
  ask<T>(asked: Asked, work: () => T): Promise<T> {
    const { scheduler, random, world, faultFor, told, strike, die } = this.#options;
    const host = this.#host;
    const { port, op, thing, region, deadlineMs = deadlineMsDefault } = asked;
    const name = `${port}.${op}`;
    const struck = strike(asked);
    if (struck === 2) die(`mode 2, ${name}`, 0);
    // The host hears nothing for a moment, then it is gone.
    if (struck === 3) die(`mode 3, ${name}`, 500);
    if (struck === 2 || struck === 3) return new Promise(() => undefined);
    this.#sent(name);
    const fault = faultFor(host.name, asked);
    if (fault !== null) told(host.name, `${name} ${thing}: ${spoken(fault)}`);
    return new Promise<T>((resolve, reject) => {
      const back = (ms: number, call: () => void): void => {
        scheduler.after(ms, host, () => {
          this.#answered(name);
          if (struck === 5) die(`mode 5, ${name}`, 0);
          if (host.alive) call();
        });
      };
      const fails = (ms: number, cameBack: string, retryAfterSeconds?: number): void =>
        back(ms, () => reject(new WorldError(op, `${port} ${thing}`, cameBack, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })));
      const outMs = random.between(asked.fastMs, asked.slowMs);
      if (fault?.kind === "cut-off") return fails(outMs, "connection refused");
      if (fault?.kind === "refused") return fails(outMs, "status 503 ServiceUnavailable");
      if (fault?.kind === "throttled") return fails(outMs, "status 429 TooManyRequests", fault.retryAfterSeconds);
      const delayMs = fault?.kind === "slow" || fault?.kind === "late-effect" ? fault.delayMs : 0;
      // The client gives up in time, whatever still happens.
      const gaveUp = outMs + delayMs > deadlineMs;
      if (gaveUp) fails(deadlineMs, `no answer within ${deadlineMs / 1_000} s`);
      scheduler.after(outMs + delayMs, nature, () => {
        const reach = world.reach(region);
        if (reach !== "up") {
          if (struck === 4) return die(`mode 4, ${name}`, 0);
          if (gaveUp) return;
          if (reach === "black-hole") return fails(deadlineMs, `no answer within ${deadlineMs / 1_000} s`);
          // In front of an API server stands nobody who could answer in its place.
          return fails(1, reach === "reset" || port === "kubernetes" ? "connection reset" : "status 503 ServiceUnavailable");
        }
        let value: T;
        try {
          value = work();
        } catch (error) {
          if (struck === 4) return die(`mode 4, ${name}`, 0);
          if (!gaveUp) back(outMs, () => reject(error));
          return;
        }
        if (struck === 4) return die(`mode 4, ${name}`, 0);
        if (gaveUp) return;
        if (fault?.kind === "lost-answer") return fails(outMs, "the connection was closed before an answer came");
        back(outMs, () => resolve(value));
      }, false);
    });
  }
}

function spoken(fault: CallFault): string {
  switch (fault.kind) {
    case "refused":
      return "refused with 503, not done";
    case "cut-off":
      return "the host reaches nobody";
    case "lost-answer":
      return "done, and its answer lost";
    case "throttled":
      return `refused with 429, Retry-After ${fault.retryAfterSeconds} s`;
    case "slow":
      return `takes ${fault.delayMs / 1_000} s`;
    case "late-effect":
      return `takes ${fault.delayMs / 1_000} s: longer than anybody waits for it`;
  }
}
