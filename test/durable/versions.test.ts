import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../lab/host/durable/store-memory.ts";
import { compareVersions } from "../../lab/host/durable/version.ts";
import { stage } from "./stage.ts";

const { orchestration, open } = stage();
orchestration("version", function* ({ df }) {
  yield df.waitForExternalEvent("go");
  return df.version ?? "none";
});

describe("comparing versions", () => {
  test.each([
    ["1.0", "1.1", -1],
    ["1.10", "1.9", 1],
    ["1.0", "1.0.0", -1],
    ["1.0.0.0", "1.0.0.0", 0],
    ["2", "10", 1],
    ["A", "a", 0],
    ["", "1.0", -1],
    ["1.0", null, 1],
    [null, " ", 0],
  ])("%j against %j is %d", (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order);
  });
});

describe("an instance", () => {
  test("gets the host's default version, or the one that its start names", async () => {
    const { start, raise, ended, serve } = await open({ defaultVersion: "2.0" });
    const { client } = await serve();
    start("version", undefined, "default");
    await client.startNew("version", { instanceId: "named", version: "1.5" });
    raise("default", "go", 1);
    raise("named", "go", 1);
    expect((await ended("default")).output).toBe('"2.0"');
    expect((await ended("named")).output).toBe('"1.5"');
  });

  test("keeps its version on a newer host", async () => {
    const store = new MemoryStore();
    const old = await open({ store, defaultVersion: "1.0" });
    old.start("version", undefined, "i");
    await old.engine.idle();
    await old.engine.close();
    const { raise, ended } = await open({ store, defaultVersion: "2.0" });
    raise("i", "go", 1);
    expect((await ended("i")).output).toBe('"1.0"');
  });

  async function newerThanHost(options: { versionFailureStrategy?: "Reject" | "Fail"; versionMatchStrategy?: "None" | "Strict" | "CurrentOrOlder" }) {
    const store = new MemoryStore();
    const newer = await open({ store, defaultVersion: "2.0" });
    newer.start("version", undefined, "i");
    await newer.engine.idle();
    await newer.engine.close();
    return { store, ...(await open({ store, defaultVersion: "1.0", ...options })) };
  }

  test("that is newer than the host stays where it is, and goes on when a host comes that may run it", async () => {
    const { store, raise, row, engine, problems } = await newerThanHost({});
    raise("i", "go", 1);
    await engine.idle();
    expect(row("i").status).toBe("Running");
    expect(problems).toMatchObject([{ rule: "version", message: expect.stringMatching(/'2.0' .* this host's '1.0' \(CurrentOrOlder\).*stays where it is/) }]);
    await engine.close();
    const upgraded = await open({ store, defaultVersion: "2.0" });
    expect((await upgraded.ended("i")).output).toBe('"2.0"');
  });

  test("that is newer fails where the host is told so", async () => {
    const { raise, ended } = await newerThanHost({ versionFailureStrategy: "Fail" });
    raise("i", "go", 1);
    expect(await ended("i")).toMatchObject({ status: "Failed", output: expect.stringMatching(/version '2.0' of the instance does not match/) });
  });

  test("that is newer runs where versions are not matched", async () => {
    const { raise, ended } = await newerThanHost({ versionMatchStrategy: "None" });
    raise("i", "go", 1);
    expect((await ended("i")).output).toBe('"2.0"');
  });

  test("that is older does not run where they must be the same", async () => {
    const { start, row, engine, serve } = await open({ defaultVersion: "2.0", versionMatchStrategy: "Strict" });
    const { client } = await serve();
    await client.startNew("version", { instanceId: "old", version: "1.0" });
    start("version", undefined, "same");
    await engine.idle();
    expect([row("old").status, row("same").status]).toEqual(["Pending", "Running"]);
  });
});
