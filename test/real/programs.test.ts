import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { startRealCluster } from "../../lab/real/cluster.ts";
import { goHurdle } from "../../lab/real/go.ts";
import { takeLock } from "../../lab/real/lock.ts";
import { BuildFailed, programsAreBuilt, realPrograms, type RealPrograms } from "../../lab/real/programs.ts";
import { eventually, processesLeft, processesOf } from "./machine.ts";

const built = inject("realPrograms");

describe("building", () => {
  const before = process.env["PATH"];
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), "lifeboat-build-"))));
  afterEach(() => {
    process.env["PATH"] = before;
    rmSync(directory, { recursive: true, force: true });
  });

  /** The only `go` there is from now on. */
  const fakeGo = (script: string) => {
    const folder = path.join(directory, "bin");
    mkdirSync(folder);
    writeFileSync(path.join(folder, "go"), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, "go"), 0o755);
    process.env["PATH"] = `${folder}:/bin:/usr/bin`;
  };

  test("without Go says so, and where to get it", async () => {
    process.env["PATH"] = directory;
    const building = realPrograms({ tell: () => undefined, directory });
    await expect(building).rejects.toBeInstanceOf(BuildFailed);
    await expect(building).rejects.toThrow(/Go 1\.26 is not here.*https:\/\/go\.dev\/dl/);
  });

  test("with a Go that is too old names both versions", async () => {
    fakeGo("echo go1.24.3");
    expect(await goHurdle()).toMatch(/Go 1\.26 or newer is needed, and this is Go 1\.24\.3/);
  });

  test("that fails says which program, what the compiler said and what to do, and leaves nothing half built", async () => {
    fakeGo('if [ "$1" = env ]; then echo go1.26.0; exit 0; fi\necho "some/package" >&2\necho "main.go:7: undefined: sail" >&2\nexit 1');
    const told: string[] = [];
    const building = realPrograms({ tell: (line) => told.push(line), directory });
    await expect(building).rejects.toThrow(/^guard could not be built, go ended with exit code 1; try it by hand: cd .*guard && go build \.\nmain\.go:7: undefined: sail$/);
    expect(told).toEqual(["building guard (1 of 9)"]);
    expect(programsAreBuilt(directory)).toBe(false);
  });

  test("into a folder that cannot be made says so, and how to name another", async () => {
    const file = path.join(directory, "file");
    writeFileSync(file, "");
    await expect(realPrograms({ tell: () => undefined, directory: path.join(file, "programs") })).rejects.toThrow(/^the programs cannot be kept in .*file\/programs: ENOTDIR.*; name another folder with LIFEBOAT_REAL$/);
  });

  test("without a network says that the modules must be fetched", async () => {
    fakeGo('if [ "$1" = env ]; then echo go1.26.0; exit 0; fi\necho "dial tcp: lookup proxy.golang.org: no such host" >&2\nexit 1');
    await expect(realPrograms({ tell: () => undefined, directory })).rejects.toThrow(/let it reach proxy\.golang\.org, or set GOPROXY/);
  });

  test("is given up when told to, and what compiles is ended", async () => {
    fakeGo(`if [ "$1" = env ]; then echo go1.26.0; exit 0; fi\nsleep 300 # ${directory}\n`);
    const abort = new AbortController();
    const building = realPrograms({ tell: () => setTimeout(() => abort.abort(new Error("stopped by SIGINT")), 300), directory, signal: abort.signal });
    await expect(building).rejects.toThrow("stopped by SIGINT");
    expect(await processesLeft(path.join(directory, "bin"), 5)).toEqual([]);
  });

  test("waits for whoever holds the lock, and takes it from the dead at once", async () => {
    const name = `test-${process.pid}`;
    const release = await takeLock(name);
    let waited = 0;
    const second = takeLock(name, { onWait: () => (waited += 1), everyMs: 10 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(waited).toBe(1);
    await release();
    await (await second)();
    await expect(takeLock(name, { signal: AbortSignal.abort(new Error("no more")) })).rejects.toThrow("no more");
  });
});

describe.skipIf(built === null)("a guard", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-guard-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  // As Velero does with its plugins: a process that starts another, and neither ends by itself or when it is asked to.
  const stubborn = `trap '' TERM; sleep 301 & sleep 302; : ${directory}`;
  const guarded = () => spawn(built?.guard ?? "", ["sh", "-c", stubborn], { env: { PATH: "/bin:/usr/bin", HOME: directory }, stdio: ["pipe", "ignore", "inherit"] });
  const bothSleep = async () => processesOf(directory).filter((line) => /^\d+ sleep 30[12]/.test(line)).length === 2;

  test("kills its program and all that this started when its input ends", async () => {
    const guard = guarded();
    await eventually("both run", 5, bothSleep);
    guard.kill("SIGTERM");
    await wait(200);
    expect(await bothSleep()).toBe(true);
    guard.stdin.destroy();
    await once(guard, "exit");
    expect(await processesLeft(directory, 2)).toEqual([]);
  });

  test("does so when whoever holds its input is killed with SIGKILL", async () => {
    const script = `require("child_process").spawn(${JSON.stringify(built?.guard)}, ["sh", "-c", ${JSON.stringify(stubborn)}], { stdio: ["pipe", "ignore", "inherit"] }); setInterval(() => {}, 1000)`;
    const holder = spawn(process.execPath, ["-e", script], { env: { PATH: "/bin:/usr/bin", HOME: directory }, stdio: "inherit" });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await eventually("both run", 5, bothSleep);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(await processesLeft(directory, 2)).toEqual([]);
  });

  test("ends as its program did", async () => {
    const codeOf = async (script: string) => {
      const [code] = (await once(spawn(built?.guard ?? "", ["sh", "-c", script], { stdio: ["pipe", "ignore", "inherit"] }), "exit")) as [number];
      return code;
    };
    expect(await Promise.all([codeOf("exit 0"), codeOf("exit 7"), codeOf("kill -9 $$")])).toEqual([0, 7, 137]);
  });

  test("passes SIGTERM on, and only that", async () => {
    const guard = spawn(built?.guard ?? "", ["sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"], { stdio: ["pipe", "pipe", "inherit"] });
    await once(guard.stdout, "data");
    for (const signal of ["SIGINT", "SIGHUP"] as const) guard.kill(signal);
    await wait(200);
    expect(guard.exitCode).toBeNull();
    guard.kill("SIGTERM");
    expect((await once(guard, "exit"))[0]).toBe(5);
  });
});

describe.skipIf(built === null)("a cluster that does not come up", () => {
  const root = mkdtempSync(path.join(tmpdir(), "lifeboat-real-bad-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let at = 0;

  /** Starts a cluster of which some programs are others than they should be. */
  const start = (replaced: Partial<RealPrograms>, more: { readonly apiPort?: number; readonly readySeconds?: number; readonly signal?: AbortSignal; readonly directory?: string } = {}) => {
    if (built === null) throw new Error("the programs are not built");
    return startRealCluster({ programs: { ...built, ...replaced }, directory: path.join(root, String((at += 1))), region: "westeurope", ...more });
  };
  const script = (name: string, text: string) => {
    const file = path.join(root, name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  test("because a program ends names it, its words and its log, and takes the others down", async () => {
    const broken = script("broken", "echo 'no such flag' >&2; exit 3");
    await expect(start({ apiServer: broken })).rejects.toThrow(/^the cluster westeurope did not come up: kube-apiserver ended with exit code 3; its log: \S+\/log\/kube-apiserver\nno such flag$/);
    expect(await processesLeft(root, 2)).toEqual([]);
  });

  test("because somebody was quicker at its ports tries others, and no more than three times", async () => {
    const quicker = script("quicker", "echo 'bind: address already in use' >&2; exit 1");
    await expect(start({ etcd: quicker })).rejects.toThrow(/address already in use/);
    expect(readFileSync(path.join(root, String(at), "log", "etcd"), "utf8").trim().split("\n")).toHaveLength(3);
    expect(await processesLeft(root, 2)).toEqual([]);
  });

  test("within its time is given up: it says how long, which program, and where its log is", async () => {
    const idle = script("idle", "echo 'thinking'; exec sleep 300");
    await expect(start({ apiServer: idle }, { readySeconds: 1 })).rejects.toThrow(/^the cluster westeurope did not get ready within 1 s: kube-apiserver says: it does not listen yet; its log: \S+\/log\/kube-apiserver\nthinking$/);
    expect(await processesLeft(root, 2)).toEqual([]);
  });

  test("because somebody says stop ends everything and says who", async () => {
    const abort = new AbortController();
    const starting = start({}, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error("stopped by SIGINT")), 1_000);
    await expect(starting).rejects.toThrow("stopped by SIGINT");
    expect(await processesLeft(root, 5)).toEqual([]);
  });

  test("because its port is taken says which and what to do", async () => {
    const { createServer } = await import("node:net");
    const server = createServer();
    const port = await new Promise<number>((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)));
    await expect(start({}, { apiPort: port })).rejects.toThrow(`cannot have port ${port} on 127.0.0.1, another program listens there: end it, or choose another port`);
    await new Promise((resolve) => server.close(resolve));
  });

  test("because of its directory says why", async () => {
    await expect(start({}, { directory: "here" })).rejects.toThrow("needs an absolute directory, and here is none");
    mkdirSync(path.join(root, "used", "etcd"), { recursive: true });
    await expect(start({}, { directory: path.join(root, "used") })).rejects.toThrow("holds the state of another cluster: remove it");
  });
});
