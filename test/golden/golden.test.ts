/**
 * Histories that earlier releases made, held against today's runbooks: every prefix of every one must ask for the same, to the letter, or the
 * version in host.json must be raised and the old runbook kept beside the new one. `GOLDEN_RECORD=0.2.0 npx vitest run test/golden` records a release.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { eventType, type HistoryEvent } from "../../lab/host/durable/protocol.ts";
import { stage } from "../orchestrations/stage.ts";
import { type RecordedInstance, RecordingStore, type RecordedTurn, replayed } from "./history.ts";
import { goldenPlays } from "./plays.ts";

const { play, app } = stage();
const folder = new URL("./", import.meta.url);
/** What a host of this release says it runs. */
const { extensions: { durableTask: { defaultVersion } } } = JSON.parse(readFileSync(new URL("../../host.json", import.meta.url), "utf8")) as { extensions: { durableTask: { defaultVersion: string } } };
const recording = process.env["GOLDEN_RECORD"];

test.each(recording === undefined ? [] : goldenPlays)("a release is recorded: $name", async ({ name, works, options, meanwhile, arm }) => {
  const store = new RecordingStore();
  const playing = await play(works, { ...options, engine: { store, defaultVersion } });
  arm?.(() => playing);
  await meanwhile?.(playing);
  expect((await playing.ended()).report).not.toBeNull();
  await playing.run.engine.idle();
  const release = new URL(`${recording ?? ""}/`, folder);
  mkdirSync(release, { recursive: true });
  writeFileSync(new URL(`${name}.json.gz`, release), gzipSync(JSON.stringify(store.recorded()), { level: 9 }));
});

const releases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
const golden = (path: string): readonly RecordedInstance[] => JSON.parse(gunzipSync(readFileSync(new URL(path, folder))).toString()) as readonly RecordedInstance[];
const kept = releases.flatMap((release) => readdirSync(new URL(`${release}/`, folder)).map((file) => `${release}/${file}`));

test("there are histories of every play that there is", () => {
  for (const { name } of goldenPlays) expect(kept).toContainEqual(expect.stringMatching(new RegExp(`/${name}\\.json\\.gz$`)));
  expect(new Set(goldenPlays.map(({ name }) => name)).size).toBe(goldenPlays.length);
});

describe("every prefix is replayed as it was recorded:", () => {
  test.each(kept)("%s", async (path) => {
    const instances = golden(path);
    expect(instances.length).toBeGreaterThan(0);
    for (const instance of instances) expect(await replayed(app(), instance), path).toBeNull();
  });
});

describe("a history that was tampered with is refused:", () => {
  const read = (): RecordedInstance => golden(`${releases[0] ?? ""}/recovered-replicated.json.gz`).find(({ name }) => name === "failover") as RecordedInstance; // every play has one
  const scheduled = new Set<number>([eventType.taskScheduled, eventType.subOrchestrationCreated]);

  /** The first turn that fits, with one of its events in another form. */
  function tampered(which: (event: HistoryEvent) => boolean, change: (event: HistoryEvent) => HistoryEvent | null): RecordedInstance {
    const failover = read();
    let changed = false;
    const turns = failover.turns.map((turn): RecordedTurn => {
      const at = turn.kind === "appended" && !changed ? turn.events.findIndex(which) : -1;
      if (turn.kind !== "appended" || at < 0) return turn;
      changed = true;
      const put = change(turn.events[at] as HistoryEvent); // just found
      return { ...turn, events: [...turn.events.slice(0, at), ...(put === null ? [] : [put]), ...turn.events.slice(at + 1)] };
    });
    if (!changed) throw new Error("nothing to tamper with");
    return { ...failover, turns };
  }

  const isScheduled = ({ EventType }: HistoryEvent) => scheduled.has(EventType);
  const completes = ({ EventType, ...event }: HistoryEvent) => EventType === eventType.taskCompleted && "Result" in event;
  const cases: [string, () => RecordedInstance][] = [
    ["another step", () => tampered(isScheduled, (event) => ({ ...event, Name: "open-secondary" }) as HistoryEvent)],
    ["another input", () => tampered(isScheduled, (event) => ({ ...event, Input: "[{}]" }) as HistoryEvent)],
    ["another id", () => tampered(isScheduled, (event) => ({ ...event, EventId: event.EventId + 1 }))],
    ["a step that was taken out", () => tampered(isScheduled, () => null)],
    ["another answer", () => tampered(completes, (event) => ({ ...event, Result: JSON.stringify({ kind: "aborted", by: "nobody" }) }) as HistoryEvent)],
    ["a turn that was taken out", () => withTurns((turns) => turns.filter((_, at) => at !== 3))],
    ["two turns in another order", () => withTurns((turns) => turns.with(2, turns[3] as RecordedTurn).with(3, turns[2] as RecordedTurn))],
    ["another custom status", () => withTurns((turns) => turns.map((turn) => (turn.kind === "appended" && turn.customStatus !== null ? { ...turn, customStatus: "{}" } : turn)))],
    ["another runbook", () => ({ ...read(), name: "recover" })],
    ["another end", () => withTurns((turns) => [...turns.slice(0, -1), anotherEnd(turns.at(-1))])],
  ];
  test.each(cases)("%s", async (_, recorded) => {
    expect(await replayed(app(), recorded())).toMatch(/^turn \d+ of \d+ of /);
  });

  function withTurns(change: (turns: readonly RecordedTurn[]) => readonly RecordedTurn[]): RecordedInstance {
    const failover = read();
    return { ...failover, turns: change(failover.turns) };
  }

  function anotherEnd(last: RecordedTurn | undefined): RecordedTurn {
    if (last?.kind !== "appended") throw new Error("a failover ends");
    return { ...last, events: last.events.map((event) => (event.EventType === eventType.executionCompleted ? { ...event, Result: '{"kind":"done","value":{"kind":"declined","why":"no"}}' } : event)) };
  }
});
