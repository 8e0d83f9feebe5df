import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { killPlan } from "./kill-plan.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
/** Below the project, so that the built files find its packages. */
let directory = "";

// Built once: a child of plain JavaScript is ready in half the time.
beforeAll(async () => {
  mkdirSync(join(root, "node_modules", ".cache"), { recursive: true });
  directory = mkdtempSync(join(root, "node_modules", ".cache", "kill-"));
  const common = { bundle: true, platform: "node", format: "esm", packages: "external", logLevel: "error" } as const;
  await Promise.all([
    build({ ...common, entryPoints: [join(here, "kill-child.ts")], outfile: join(directory, "child.mjs") }),
    build({ ...common, entryPoints: [join(here, "apps/crash/index.ts")], outfile: join(directory, "app", "index.mjs") }),
  ]);
  cpSync(join(here, "apps/crash/package.json"), join(directory, "app", "package.json"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Report {
  readonly outputs: [string, string, string][];
  readonly problems: unknown[];
}

/** Resolves with the report when the child ends by itself, and with null when it was killed that long after it was ready. */
async function run(clockText: string, killAfterMs: number | null): Promise<Report | null> {
  const child: ChildProcess = spawn(process.execPath, [join(directory, "child.mjs"), join(directory, "app"), join(directory, "journal.jsonl"), clockText], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    if (text === "" && killAfterMs !== null) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    text += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code === null) return null;
  return JSON.parse(text.split("\n").at(-2) ?? "") as Report;
}

test("killed at random moments, all orchestrations come to their right ends and none is lost", async () => {
  const clockText = startClock({ rate: 1_000 }).toString();
  let kills = 0;
  let report: Report | null = null;
  while (report === null && kills < 8) {
    report = await run(clockText, 5 + Math.random() * 120);
    if (report === null) kills++;
  }
  report ??= await run(clockText, null);
  expect(kills).toBeGreaterThanOrEqual(5);
  expect(report?.outputs).toEqual(killPlan.map(({ instanceId, output }) => [instanceId, "Completed", JSON.stringify(output)]));
  expect(report?.problems).toEqual([]);
});
