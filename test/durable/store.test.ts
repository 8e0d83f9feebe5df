import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startOps } from "../../lab/host/durable/new-instance.ts";
import { eventType, stamp, type HistoryEvent } from "../../lab/host/durable/protocol.ts";
import { JsonlStore } from "../../lab/host/durable/store-jsonl.ts";
import { MemoryStore } from "../../lab/host/durable/store-memory.ts";
import type { Op, Snapshot, Store } from "../../lab/host/durable/store.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});
function journalFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "lifeboat-journal-"));
  directories.push(directory);
  return join(directory, "below", "durable.jsonl");
}

const start = (instanceId: string, message: string): Op[] =>
  startOps({ instanceId, name: "o", version: null, input: '"ä"', parent: null }, 1_000, message);
const event = (at: number): HistoryEvent => ({ EventType: eventType.orchestratorStarted, ...stamp(at) });
const seen = ({ rows, histories, messages }: Snapshot) => ({ rows: [...rows.values()], histories: [...histories], messages: [...messages.values()] });

const kinds: [string, () => () => Store][] = [
  [
    "memory",
    () => {
      const store = new MemoryStore();
      return () => store;
    },
  ],
  [
    "JSONL",
    () => {
      const file = journalFile();
      return () => new JsonlStore({ file });
    },
  ],
  [
    "JSONL with fdatasync, compacted at every chance",
    () => {
      const file = journalFile();
      return () => new JsonlStore({ file, sync: "data", compactBytes: 1 });
    },
  ],
];

describe.each(kinds)("a store (%s)", (_, make) => {
  test("shows a commit at once, and again when it is opened again", () => {
    const reopen = make();
    const store = reopen();
    const snapshot = store.open();
    store.commit([...start("a", "m1"), { op: "append", instanceId: "a", events: [event(1), event(2)] }]);
    store.commit([{ op: "append", instanceId: "a", events: [event(3)] }, { op: "take", id: "m1" }]);
    store.commit(start("b", "m2"));
    const before = seen(snapshot);
    expect(before.rows.map(({ instanceId, input }) => [instanceId, input])).toEqual([["a", '"ä"'], ["b", '"ä"']]);
    expect(before.histories).toEqual([["a", [event(1), event(2), event(3)]]]);
    expect(before.messages.map(({ id }) => id)).toEqual(["m2"]);
    store.close();
    expect(seen(reopen().open())).toEqual(before);
  });

  test("starts a history anew, and forgets an instance with its inbox but not with its activities", () => {
    const reopen = make();
    const store = reopen();
    store.open();
    store.commit([...start("a", "m1"), { op: "append", instanceId: "a", events: [event(1)] }]);
    store.commit([{ op: "reset", instanceId: "a" }, { op: "append", instanceId: "a", events: [event(2)] }]);
    store.commit([{ op: "put", message: { kind: "activity", id: "act", instanceId: "a", executionId: "x", taskId: 0, name: "n", input: null } }]);
    store.close();
    const again = reopen();
    expect(again.open().histories.get("a")).toEqual([event(2)]);
    again.commit([{ op: "purge", instanceId: "a" }]);
    again.close();
    expect(seen(reopen().open())).toMatchObject({ rows: [], histories: [], messages: [{ id: "act" }] });
  });

  test("keeps messages in the order in which they were put", () => {
    const reopen = make();
    const store = reopen();
    store.open();
    for (const id of ["m3", "m1", "m2"]) store.commit(start(id, id));
    store.commit([{ op: "take", id: "m1" }]);
    store.close();
    expect([...reopen().open().messages.keys()]).toEqual(["m3", "m2"]);
  });
});

describe("the journal", () => {
  function written(): { file: string; whole: string } {
    const file = journalFile();
    const store = new JsonlStore({ file });
    store.open();
    store.commit(start("a", "m1"));
    store.commit(start("b", "m2"));
    store.close();
    return { file, whole: readFileSync(file, "utf8") };
  }

  test("has one line for each commit", () => {
    expect(written().whole.trimEnd().split("\n")).toHaveLength(2);
  });

  test("torn at any byte loses at most the commit that was being written, and goes on after it", () => {
    const { file, whole } = written();
    const firstEnd = Buffer.from(whole).indexOf("\n") + 1;
    const bytes = Buffer.from(whole);
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(file, bytes.subarray(0, length));
      const store = new JsonlStore({ file });
      const complete = length >= firstEnd ? ["a"] : [];
      expect([...store.open().rows.keys()]).toEqual(complete);
      store.commit(start("c", "m3"));
      store.close();
      const again = new JsonlStore({ file });
      expect([...again.open().rows.keys()]).toEqual([...complete, "c"]);
      again.close();
    }
  });

  test("damaged in the middle is refused with file, line and what to do", () => {
    const { file, whole } = written();
    writeFileSync(file, `{oops\n${whole}`);
    expect(() => new JsonlStore({ file }).open()).toThrow(/durable\.jsonl, line 1: not a commit of this engine .*move the file away/);
  });

  test("does not grow with what is gone", () => {
    const file = journalFile();
    const store = new JsonlStore({ file, compactBytes: 20_000 });
    store.open();
    for (let index = 0; index < 2_000; index++) store.commit(start("same", "m1"));
    expect(statSync(file).size).toBeLessThan(50_000);
    store.close();
    expect([...new JsonlStore({ file }).open().rows.keys()]).toEqual(["same"]);
  });

  test("ignores a compaction that did not get its name", () => {
    const { file } = written();
    appendFileSync(`${file}.next`, "half a li");
    expect([...new JsonlStore({ file }).open().rows.keys()]).toEqual(["a", "b"]);
  });
});
