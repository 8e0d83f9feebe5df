import { isFinished, newId, startOps, type NewInstance } from "./new-instance.ts";
import { eventType, stamp, type Arrival } from "./protocol.ts";
import type { InstanceRow, Op, Snapshot } from "./store.ts";

/** What is asked of instances from outside: the client's calls, without HTTP. */
export interface InstancesGround {
  readonly snapshot: Snapshot;
  readonly commit: (ops: readonly Op[]) => void;
  readonly now: () => number;
  readonly newMessageId: () => string;
  readonly kindOf: (name: string) => string | null;
  readonly defaultVersion: string | null;
}

/** How a start went. */
export type StartAnswer =
  | { readonly kind: "started"; readonly instanceId: string }
  | { readonly kind: "unknown-function" | "bad-id" | "live"; readonly why: string };

/** How a message to an instance went. */
export type SendAnswer = "accepted" | "missing" | "finished";

export interface StartRequest extends Omit<NewInstance, "instanceId" | "version" | "parent"> {
  /** Null: one is made. */
  readonly instanceId: string | null;
  /** Null: the host's default. */
  readonly version: string | null;
}

export class Instances {
  readonly #ground: InstancesGround;

  constructor(ground: InstancesGround) {
    this.#ground = ground;
  }

  row(instanceId: string): InstanceRow | undefined {
    return this.#ground.snapshot.rows.get(instanceId);
  }

  /** A live id is refused, which makes a fixed id a natural lock; a finished instance of that id is replaced. */
  start({ name, instanceId, input, version }: StartRequest): StartAnswer {
    const { kindOf, now, newMessageId, defaultVersion } = this.#ground;
    if (kindOf(name) !== "orchestrator") {
      return { kind: "unknown-function", why: `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function` };
    }
    const id = instanceId ?? newId();
    const wrong = wrongId(id);
    if (wrong !== null) return { kind: "bad-id", why: wrong };
    const existing = this.row(id);
    if (existing && !isFinished(existing)) {
      return { kind: "live", why: `An Orchestration instance with the status ${existing.status} already exists.` };
    }
    this.#ground.commit(startOps({ instanceId: id, name, version: version ?? defaultVersion, input, parent: null }, now(), newMessageId()));
    return { kind: "started", instanceId: id };
  }

  /** `input` is JSON text. */
  raise(instanceId: string, name: string, input: string): SendAnswer {
    return this.#send(instanceId, { EventType: eventType.eventRaised, ...stamp(this.#ground.now()), Name: name, Input: input });
  }

  terminate(instanceId: string, reason: string): SendAnswer {
    return this.#send(instanceId, { EventType: eventType.executionTerminated, ...stamp(this.#ground.now()), Input: reason });
  }

  suspend(instanceId: string, reason: string): SendAnswer {
    return this.#send(instanceId, { EventType: eventType.executionSuspended, ...stamp(this.#ground.now()), Reason: reason });
  }

  resume(instanceId: string, reason: string): SendAnswer {
    return this.#send(instanceId, { EventType: eventType.executionResumed, ...stamp(this.#ground.now()), Reason: reason });
  }

  /** Forgets instances that have ended; answers how many. A live one is never forgotten. */
  purge(instanceIds: readonly string[]): number {
    const ended = instanceIds.filter((id) => {
      const row = this.row(id);
      return row !== undefined && isFinished(row);
    });
    if (ended.length > 0) this.#ground.commit(ended.map((instanceId) => ({ op: "purge", instanceId })));
    return ended.length;
  }

  /** Starts the same function with the same input, under a new id or the same one. */
  restart(instanceId: string, withNewId: boolean): StartAnswer | null {
    const row = this.row(instanceId);
    if (!row) return null;
    return this.start({ name: row.name, instanceId: withNewId ? null : instanceId, input: row.input, version: null });
  }

  #send(instanceId: string, event: Arrival): SendAnswer {
    const row = this.row(instanceId);
    if (!row) return "missing";
    if (isFinished(row)) return "finished";
    const { commit, newMessageId } = this.#ground;
    commit([{ op: "put", message: { kind: "inbox", id: newMessageId(), instanceId, executionId: null, event } }]);
    return "accepted";
  }
}

/** The extension's rules for ids that a caller chooses. */
function wrongId(id: string): string | null {
  if (id === "" || id.length > 256) return "Instance ids have 1 to 256 characters.";
  if (id.startsWith("@")) return "Orchestration instance ids must not start with @, which entities do.";
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[/\\#?\u0000-\u001f\u007f-\u009f]/.test(id)) return "Instance ids must not contain /, \\, #, ? or control characters.";
  return null;
}
