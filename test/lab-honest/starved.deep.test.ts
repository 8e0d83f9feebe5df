/** A host that its machine takes something from in the middle of a failover: files, room on the disk, memory. */
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { appliedTwice, type Twice } from "../../lab/checks.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab, type RunningLab } from "../../lab/run/run-lab.ts";

/** What is taken from a process that runs (prlimit, of util-linux), what it then says, and whether it ends: without files it goes on with those that it has open. */
const takings = {
  files: { limit: () => "--nofile=4", words: /EMFILE/, ends: false },
  disk: { limit: (lab: RunningLab) => `--fsize=${Math.max(...filesUnder(lab.stateDirectory).map((file) => statSync(file).size)) + 2_000}`, words: /EFBIG/, ends: true },
  memory: { limit: () => `--as=${2 ** 20}`, words: /out of memory/, ends: true },
} as const;

const filesUnder = (directory: string): readonly string[] => readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));

test.each(Object.keys(takings) as (keyof typeof takings)[])("a host that runs out of %s in the middle of a failover says so, and goes on where it was when it is started anew", { timeout: 120_000 }, async (what) => {
  const said: string[] = [];
  let accepted = (): void => undefined;
  const begun = new Promise<void>((resolve) => (accepted = resolve));
  let starved: Promise<void> = Promise.resolve();
  let twice: readonly Twice[] = [];
  let ended = false;
  const starve = async (lab: RunningLab): Promise<void> => {
    await begun;
    await sleep(400);
    const host = lab.host();
    const before = host.log.length;
    execFileSync("prlimit", [`--pid=${host.pid}`, takings[what].limit(lab)]);
    // One that lives on is given some seconds; one that must end, as long as a busy machine takes for it.
    ended = await Promise.race([host.exited.then(() => true), sleep(takings[what].ends ? 60_000 : 6_000).then(() => false)]);
    await host.kill("SIGKILL");
    await lab.restartHost();
    // Its last words were still on their way when it was gone.
    said.push(...host.log.slice(before).map((record) => JSON.stringify(record)));
  };
  const { report, failures } = await runLab({
    ...quickRun,
    topology: "replicated",
    rate: 20,
    tell: (told) => void (told.event === "alert" && told.status === 202 && accepted()),
    onUp: (lab) => {
      starved = starve(lab);
      starved.catch(() => undefined);
    },
    beforeClose: async ({ pair }) => {
      await starved;
      twice = appliedTwice(pair.world.effects);
    },
  });
  expect({ failures, outcome: report.outcome, twice }).toEqual({ failures: [], outcome: "recovered", twice: [] });
  expect(said.filter((line) => takings[what].words.test(line))).not.toEqual([]);
  expect(ended || !takings[what].ends).toBe(true);
});
