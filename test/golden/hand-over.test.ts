/** Two versions of the app on one task hub: an instance stays with hosts that know its version, and nothing is lost while it waits for one. */
import { describe, expect, test } from "vitest";
import { isFinished } from "../../lab/host/durable/new-instance.ts";
import { MemoryStore } from "../../lab/host/durable/store-memory.ts";
import type { Outcome } from "../../shared/domain/outcome.ts";
import type { Run } from "../durable/stage.ts";
import { allGoesWell, type Play, stage, type Works } from "../orchestrations/stage.ts";

const { play, openEngine } = stage();
const dayMs = 86_400_000;

/** The same hub, worked off by a host of another version, on the same clock. */
const hostOf = (defaultVersion: string, store: MemoryStore, { run }: Play): Promise<Run> => openEngine({ store, clock: run.clock, strict: "fail", defaultVersion });

/** Lets time go on until the run has ended; `null`: it did not complete. */
async function goOn({ engine, clock, row }: Run, runId: string): Promise<Outcome | null> {
  const from = clock.now();
  for (;;) {
    await engine.idle();
    const { status, output } = row(runId);
    if (isFinished(row(runId))) return status === "Completed" ? (JSON.parse(output ?? "null") as { readonly value: Outcome }).value : null;
    if (!clock.advanceToNext()) return null;
    if (clock.now() - from > dayMs) throw new Error(`${runId} still runs after a day`);
  }
}

/** The acts of a run, by what it left in its ledger: an act that is taken twice leaves one record. */
const acts = ({ home }: Play) => [...home.blobs.keys()].filter((name) => name.endsWith(".intent.json")).toSorted();

/** A play whose host is stopped in the middle of its n-th step, as a deployment does. */
async function deployedIn(step: number, defaultVersion: string) {
  const store = new MemoryStore();
  let taken = 0;
  const stopping: Promise<void>[] = [];
  const works = Object.fromEntries(
    Object.entries(allGoesWell).map(([key, work]) => [
      key,
      async (...args: Parameters<typeof work>) => {
        if (++taken === step) stopping.push(playing.run.engine.close());
        return (work as (...args: unknown[]) => Promise<unknown>)(...args);
      },
    ]),
  ) as Works;
  const playing: Play = await play(works, { engine: { store, defaultVersion } });
  while (stopping.length === 0 && !isFinished(playing.run.row(playing.runId))) {
    await playing.run.engine.idle();
    if (stopping.length === 0 && !isFinished(playing.run.row(playing.runId)) && !playing.run.clock.advanceToNext()) throw new Error("nothing is due");
  }
  await Promise.all(stopping);
  return { playing, store, taken: () => taken };
}

describe("a failover that was started on version 1", () => {
  test("finishes on version 2, wherever it was when the app was deployed, and takes every act as often as without that", async () => {
    const without = await deployedIn(0, "1");
    const usual = acts(without.playing);
    expect(without.taken()).toBeGreaterThan(40);
    for (let step = 1; step <= without.taken(); step++) {
      const { playing, store } = await deployedIn(step, "1");
      const outcome = await goOn(await hostOf("2", store, playing), playing.runId);
      expect(outcome?.kind, `deployed in step ${step}`).toBe("recovered");
      expect(acts(playing), `deployed in step ${step}`).toEqual(usual);
      expect((await playing.head()).run).toBeNull();
    }
  });
});

describe("a failover that was started on version 2", () => {
  test("is left alone by a host of version 1, which loses nothing of it, and goes on when one of version 2 is back", async () => {
    const { playing, store } = await deployedIn(20, "2");
    const steps = playing.trace.length;
    const older = await hostOf("1", store, playing);
    await older.engine.idle();
    for (let minute = 0; minute < 5; minute++) {
      older.clock.advance(60_000);
      await older.engine.idle();
    }
    expect(older.problems).toContainEqual(expect.objectContaining({ rule: "version", message: expect.stringMatching(/'2' .* this host's '1' .*stays where it is/) as string }));
    // Activities have no version: one that was on its way is done by whoever takes it. No turn of the run is played.
    expect(playing.trace.length - steps).toBeLessThanOrEqual(2);
    expect(older.row(playing.runId).status).toBe("Running");
    await older.engine.close();
    expect((await goOn(await hostOf("2", store, playing), playing.runId))?.kind).toBe("recovered");
    expect(await playing.head()).toMatchObject({ active: "secondary", run: null });
  });

  test("while another one of version 1 goes on beside it on the same hub: each host plays its own", async () => {
    const store = new MemoryStore();
    const playing = await play({}, { engine: { store, defaultVersion: "1" } });
    playing.run.engine.instances.start({ name: "verify-backups", instanceId: "newer", input: JSON.stringify({ ref: { runId: "", plan: "shop", epoch: 0, planHash: "", kind: "failover" }, phase: null, input: {} }), version: "2" });
    expect((await goOn(playing.run, playing.runId))?.kind).toBe("recovered");
    expect(playing.run.row("newer").status).toBe("Pending");
    await playing.run.engine.close();
    const newer = await hostOf("2", store, playing);
    await newer.engine.idle();
    expect(newer.row("newer").status).not.toBe("Pending");
  });
});
