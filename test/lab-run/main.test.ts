/** `npm run lab` as a user meets it: a process with arguments, output, signals and an exit code. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { listen } from "../../lab/faces/listen.ts";
import type { Report } from "../../shared/domain/report.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-main-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the exit code when the process is gone and has said everything. */
  readonly ended: Promise<number | null>;
}

/** `temporary`: where the run may leave things, and must not. */
function run(args: readonly string[], temporary = folder, environment: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(process.execPath, ["--import", "tsx", "lab/run/main.ts", ...args], { cwd: root, env: { PATH: process.env["PATH"], TMPDIR: temporary, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return { child, out: () => out, err: () => err, ended: once(child, "close").then(([code]) => code as number | null) };
}

/** Processes that descend from one, by the system's own table. */
function descendants(pid: number): readonly number[] {
  const table = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).stdout.trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] => table.filter(([, of]) => of === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

/** A zombie runs no more; it waits for whoever reaps it. */
function stillRunning(pids: readonly number[]): readonly string[] {
  const table = spawnSync("ps", ["-o", "pid=,stat=,args=", "-p", pids.join(",")], { encoding: "utf8" }).stdout.trim();
  return table === "" ? [] : table.split("\n").filter((line) => !/^\s*\d+\s+Z/.test(line));
}

describe("nothing is started, and it is said plainly,", () => {
  test("when an option is wrong", async () => {
    const { ended, out, err } = run(["--rate", "fast"]);
    expect(await ended).toBe(2);
    expect(err()).toContain("whole number from 1 to 200");
    expect(out()).toBe("");
  });

  test("when the clusters and the storage that were given cannot be used: all at once, and without the secret", async () => {
    const secret = "bWFkZS11cC1hbmQtdG8tYmUtc2VlbiBub3doZXJl";
    const { ended, out, err } = run(["--real", "--primary-kubeconfig", "west.yaml", "--secondary-kubeconfig", "north.yaml"], folder, { AZURE_STORAGE_CONNECTION_STRING: `AccountKey=${secret}` });
    expect(await ended).toBe(2);
    expect(err().trimEnd().split("\n")).toEqual([
      expect.stringContaining("AZURE_STORAGE_CONNECTION_STRING has no AccountName and AccountKey"),
      expect.stringMatching(/^west\.yaml cannot be read as a kubeconfig: ENOENT/),
      expect.stringMatching(/^north\.yaml cannot be read as a kubeconfig: ENOENT/),
      "nothing was started",
    ]);
    expect(out() + err()).not.toContain(secret);
  });

  test("when the report cannot be written and the port is taken: both at once", async () => {
    const file = path.join(folder, "a-file");
    writeFileSync(file, "");
    const taken = await listen({ address: "127.0.0.11" }, (_request, response) => response.end());
    try {
      const { ended, out, err } = run(["--report", path.join(file, "report"), "--port", String(taken.port)]);
      expect(await ended).toBe(2);
      expect(err()).toContain("there is a file where a directory must be; choose another directory with --report");
      expect(err()).toContain(`port ${taken.port} on 127.0.0.11 is in use by another program: free it or choose another with --port`);
      expect(err()).toContain("nothing was started");
      expect(err()).not.toMatch(/\n\s+at /);
      expect(out()).toBe("");
    } finally {
      await taken.close();
    }
  });
});

describe("stopped while it runs, it is gone soon and leaves nothing,", () => {
  test.each([
    ["SIGINT", 130, '"stage":"clusters"'],
    ["SIGTERM", 143, '"event":"up"'],
  ] as const)("by %s", async (signal, code, seen) => {
    const temporary = mkdtempSync(path.join(folder, "t-"));
    const { child, ended, out } = run(["--json", "--report", path.join(folder, "stopped")], temporary);
    while (!out().includes(seen) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    const started = descendants(child.pid ?? 0);
    expect(started.length).toBeGreaterThan(0);
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(JSON.parse(out().trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ event: "failed", why: `stopped by ${signal}` });
    await vi.waitFor(() => expect(stillRunning(started)).toEqual([]), { timeout: 1_000, interval: 50 });
    expect(readdirSync(temporary).filter((name) => name.startsWith("lifeboat"))).toEqual([]);
  }, 60_000);
});

test("whose reader has gone, as `head` does, it closes what it opened and leaves nothing", async () => {
  const temporary = mkdtempSync(path.join(folder, "t-"));
  const { child, ended, out } = run(["--json", "--report", path.join(folder, "unread")], temporary);
  while (!out().includes('"stage":"clusters"') && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  const started = descendants(child.pid ?? 0);
  child.stdout?.destroy();
  expect(await ended).toBe(129);
  await vi.waitFor(() => expect(stillRunning(started)).toEqual([]), { timeout: 1_000, interval: 50 });
  expect(readdirSync(temporary).filter((name) => name.startsWith("lifeboat"))).toEqual([]);
}, 60_000);

test("a whole run as JSON: every line is an object, the report is the last, the files hold the same, exit code 0", async () => {
  const directory = path.join(folder, "report");
  const { ended, out, err } = run(["--scenario", "namespace-lost", "--json", "--report", directory]);
  expect(await ended, err()).toBe(0);
  const events = out().trimEnd().split("\n").map((line) => JSON.parse(line) as { event: string; report?: Report });
  expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(["stage", "up", "serving", "lost", "dark", "asked", "step", "answer", "ended", "report"]));
  expect(err()).not.toMatch(/\n\s+at /);
  const last = events.at(-1);
  expect(last).toMatchObject({ event: "report", report: { outcome: "recovered", kind: "recovery" } });
  const file = JSON.parse(readFileSync(path.join(directory, "report.json"), "utf8")) as Report;
  expect(file).toMatchObject(last?.report ?? {});
  expect(readFileSync(path.join(directory, "report.md"), "utf8")).toContain(`${file.rtoSeconds} s`);
  expect(readFileSync(path.join(directory, "report.html"), "utf8")).toContain(`<data value="${file.rtoSeconds}">`);
  expect(readdirSync(directory).toSorted()).toEqual(["app.jsonl", "report.html", "report.json", "report.md"]);
}, 90_000);
