import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { labStart, startClock } from "../../lab/clock.ts";
import { startHostProcess, type HostProcess } from "../../lab/host/process.ts";
import { appDirectory } from "./app-directory.ts";

const clock = startClock();
let directory: string;
let open: HostProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lifeboat-host-"));
});
afterEach(async () => {
  await Promise.all(open.map((host) => host.kill("SIGKILL")));
  open = [];
});
afterAll(() => rm(directory, { recursive: true }));

/** Each name has a state directory, a trace and a gate of its own. */
async function start(name: string, { port = 0, app = "relay" }: { port?: number; app?: string } = {}): Promise<HostProcess> {
  const host = await startHostProcess({
    appDirectory: appDirectory(app),
    stateDirectory: join(directory, name),
    clock: clock.toString(),
    port,
    environment: { TRACE_FILE: traceFile(name), GATE_FILE: gateFile(name), OWN_SETTING: "seen" },
  });
  open.push(host);
  return host;
}
const traceFile = (name: string) => join(directory, `${name}.trace`);
const gateFile = (name: string) => join(directory, `${name}.gate`);
const trace = async (name: string) => (await readFile(traceFile(name), "utf8").catch(() => "")).split("\n").filter(Boolean);
const portOf = (host: HostProcess) => Number(new URL(host.url).port);

describe("the host as a process", () => {
  test("an orchestration goes on where it was after the host was killed in its middle", async () => {
    const first = await start("relay");
    const started = await fetch(`${first.url}/api/start/run-1`, { method: "POST", body: "Ada" });
    expect(started.status).toBe(202);
    const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
    await expect.poll(() => trace("relay")).toEqual(["first leg", "second leg"]);
    expect(await first.kill("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });

    await writeFile(gateFile("relay"), "");
    await start("relay", { port: portOf(first) });
    const status = async () => (await (await fetch(statusQueryGetUri)).json()) as { runtimeStatus: string; output: { story: string; finishedAt: number } };
    await expect.poll(async () => (await status()).runtimeStatus, { timeout: 5_000 }).toBe("Completed");
    const { output } = await status();
    expect(output.story).toBe("Ada ran one leg, then two");
    expect(output.finishedAt).toBeGreaterThan(labStart);
    expect(output.finishedAt).toBeLessThan(clock.now());
    // The leg that was cut off ran again; the one that had ended did not.
    expect(await trace("relay")).toEqual(["first leg", "second leg", "second leg"]);
  });

  test("that cannot start says why", async () => {
    await expect(start("broken", { app: "nowhere" })).rejects.toThrow(/no app directory .*nowhere: build the app first/);
    await expect(start("empty", { app: "unbuilt" })).rejects.toThrow(/the host ended \(code 1\) before it served:\nthe host did not start: .*"main": "dist\/\*\.js" .* matches no file: build the app first/);
  });

  test("ends when who started it is killed", async () => {
    const script = fileURLToPath(new URL("./orphan.ts", import.meta.url));
    const parent = spawn(process.execPath, ["--import", "tsx", script, appDirectory("web"), join(directory, "orphan")], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const chunk of parent.stdout) {
      said += String(chunk);
      if (said.includes("\n")) break;
    }
    const pid = Number(said);
    const isAlive = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    expect(isAlive()).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(isAlive, { timeout: 5_000 }).toBe(false);
  });
});

describe("one running host", () => {
  let host: HostProcess;

  beforeAll(async () => {
    host = await start("shared");
    // This one outlives its first test.
    open = [];
  });
  afterAll(() => host.kill("SIGKILL"));

  test("gives the app its settings, what the platform adds, and nothing of the host's own", async () => {
    const seen = (await (await fetch(`${host.url}/api/environment`)).json()) as object;
    expect(seen).toMatchObject({ OWN_SETTING: "seen", WEBSITE_HOSTNAME: new URL(host.url).host, NO_PROXY: "127.0.0.1,localhost", FUNCTIONS_WORKER_RUNTIME: "node" });
    expect(seen).not.toHaveProperty("LAB_HOST");
  });

  test("keeps what the process says as records, also what it says past the log", async () => {
    await fetch(`${host.url}/api/talk`);
    await expect.poll(() => host.log.map(({ level, message }) => `${level} ${message}`)).toEqual(expect.arrayContaining(["information by context", "none by console"]));
    expect(host.log.find(({ message }) => message === "by context")).toMatchObject({ functionName: "talk", category: "user", at: expect.any(Number) });
  });

  test("lets a request come to its end at SIGTERM, and exits 0", async () => {
    const answer = fetch(`${host.url}/api/slow`);
    await expect.poll(() => trace("shared")).toEqual(["slow begins"]);
    const exit = host.kill("SIGTERM");
    await expect.poll(async () => (await fetch(`${host.url}/api/talk`)).status).toBe(503);
    expect(await (await answer).text()).toBe("done all the same");
    expect(await exit).toEqual({ code: 0, signal: null });
  });
});
