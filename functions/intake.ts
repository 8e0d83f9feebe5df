/** Where alerts come in: those that wait for a plan's ledger are taken in one change together, and the run that they open or join is started once. */
import type { DurableClient } from "durable-functions";
import type { Head } from "../shared/domain/ledger.ts";
import type { Arrival, Taken } from "../shared/domain/ledger-alerts.ts";
import { takeAlerts } from "../shared/domain/ledger-alerts.ts";
import type { Plan } from "../shared/domain/plan.ts";
import { type World, WorldError } from "../shared/ports.ts";
import { openLedger } from "./ledger.ts";
import { followNewest } from "./ledger-follow.ts";
import { keepVersion } from "./runs.ts";
import { startInstance } from "./start.ts";

export interface ForPlan {
  readonly plan: Plan;
  readonly hash: string;
}

export interface Intake {
  /** Resolves when the ledger holds the arrival and its run, if it has one, was started. Throws when it could not be taken: then nothing is lost when it comes again. */
  take(client: () => DurableClient, about: ForPlan, arrival: Arrival): Promise<Taken>;
}

/** One change stays small enough to be made in a moment. */
const batchMax = 500;
/** Arrivals of one plan that may wait: a few seconds of the greatest storm. More are told to come again. */
const waitingMax = 5_000;

interface Waiting {
  readonly client: () => DurableClient;
  readonly about: ForPlan;
  readonly arrival: Arrival;
  readonly taken: (taken: Taken) => void;
  readonly failed: (error: unknown) => void;
}

interface Line {
  readonly waiting: Waiting[];
  busy: boolean;
  /** The run that this process has started an instance for: the others of a storm need not ask for it again. */
  started: string | null;
  /** The version and the end of the chain that were made sure of last: a storm must not do it for every batch. */
  ground: string | null;
}

export function openIntake(world: World): Intake {
  const lines = new Map<string, Line>();
  const ledger = openLedger(world.home);

  const settle = async (line: Line, batch: readonly Waiting[]): Promise<void> => {
    const newest = batch.at(-1);
    if (newest === undefined) return;
    const { client, about } = newest;
    const { plan, hash } = about;
    const arrivals = batch.map(({ arrival }) => arrival);
    let taken: readonly Taken[] = [];
    const made = await ledger.change(plan.plan, async (head) => {
      if (head.run === null) await openable(line, about, head);
      const all = takeAlerts(head, arrivals, hash, world.clock.now());
      taken = all.taken;
      return { kind: "changed", head: all.head };
    });
    const { run } = made.head;
    const concerned = run !== null && run.id !== line.started && taken.some((one) => (one.kind === "opened" || one.kind === "joined") && one.runId === run.id);
    if (run !== null && concerned) {
      await startInstance(world, client(), plan.plan, run);
      line.started = run.id;
    }
    batch.forEach((one, index) => {
      const answer = taken[index];
      if (answer !== undefined) one.taken(answer);
    });
  };

  /** What a run would be opened on: its plan is kept before a head names it, for a run without its plan could never act, and the end of the chain holds. */
  const openable = async (line: Line, { plan, hash }: ForPlan, head: Head): Promise<void> => {
    const ground = `${hash} ${head.digest}`;
    if (line.ground === ground) return;
    await Promise.all([keepVersion(world.home, plan, hash), followNewest(world.home, head, { withEntries: true })]);
    line.ground = ground;
  };

  const drain = async (line: Line): Promise<void> => {
    line.busy = true;
    try {
      // Those who were let in with the first one come along.
      await Promise.resolve();
      while (line.waiting.length > 0) {
        const batch = line.waiting.splice(0, batchMax);
        await settle(line, batch).catch((error: unknown) => batch.forEach(({ failed }) => failed(error)));
      }
    } finally {
      line.busy = false;
    }
  };

  return {
    take: (client, about, arrival) =>
      new Promise((taken, failed) => {
        const name = about.plan.plan;
        const line = lines.get(name) ?? { waiting: [], busy: false, started: null, ground: null };
        lines.set(name, line);
        if (line.waiting.length >= waitingMax) return failed(new WorldError("take an alert", name, `${waitingMax} others wait`, { retryAfterSeconds: 5 }));
        line.waiting.push({ client, about, arrival, taken, failed });
        if (!line.busy) void drain(line);
      }),
  };
}
