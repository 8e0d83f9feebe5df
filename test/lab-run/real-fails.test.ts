/** Real clusters that do not come up, from programs that are none: what is told, and what is left to look into. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import type { EngineParts } from "../../lab/engine/engine.ts";
import { openReals } from "../../lab/engine/real.ts";
import { BuildFailed, type RealPrograms } from "../../lab/real/programs.ts";
import { troubleOf } from "../../lab/run/trouble.ts";

const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-fails-"));
const before = process.env["TMPDIR"];
// Real runs of others on this machine leave their folders where they like.
process.env["TMPDIR"] = folder;
afterAll(() => {
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  rmSync(folder, { recursive: true, force: true });
});
const left = () => readdirSync(folder).filter((name) => name.startsWith("lifeboat-real-"));

function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** etcd ends at once; the API server waits for its input's end, as the guard has it. */
const programs = (etcd: string) => ({ guard: script("guard", 'exec "$@"'), etcd: script("etcd", etcd), apiServer: script("api", "cat > /dev/null") }) as Partial<RealPrograms> as RealPrograms;

async function opened(etcd: string, signal?: AbortSignal): Promise<unknown> {
  const undone: (() => unknown)[] = [];
  const parts = { identity: {}, aks: { nodes: () => [] }, onStage: () => undefined, undo: (step: () => unknown) => void undone.push(step) } as unknown as EngineParts;
  const failed: unknown = await openReals({ programs: programs(etcd), ...(signal ? { signal } : {}) })(parts).then(() => null, (error: unknown) => error);
  for (const step of undone.toReversed()) await step();
  return failed;
}

test("the log that the message names is there when everything else is gone, and the remedy is said", async () => {
  const said = troubleOf(await opened("echo 'no such flag' >&2; exit 3"));
  expect(said).toMatch(/^the cluster westeurope did not come up: etcd (?:ended with exit code 3|has ended); its log: \S+\nno such flag\neverything is taken down again, the logs are kept; .* try again/);
  const log = /its log: (\S+)/.exec(said)?.[1] ?? "";
  expect(readFileSync(log, "utf8")).toBe("no such flag\n");
  const region = path.dirname(path.dirname(log));
  expect(readdirSync(region)).toEqual(["log"]);
  rmSync(path.dirname(region), { recursive: true });
});

test("somebody who stops it is left nothing", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("stopped by SIGINT")), 300);
  expect(await opened("cat > /dev/null", stop.signal)).toMatchObject({ message: "stopped by SIGINT" });
  expect(left()).toEqual([]);
});

test("programs that cannot be built are told in their own words", () => {
  expect(troubleOf(new BuildFailed("etcd could not be built; try it by hand"))).toBe("etcd could not be built; try it by hand");
});
