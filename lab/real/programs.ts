/** The programs of a real region, built from Go modules once and kept. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import process from "node:process";
import { goHurdle } from "./go.ts";
import { takeLock } from "./lock.ts";
import { type Recipe, recipes, sourcesDigest } from "./recipes.ts";

/** The file of each program, absolute. */
export interface RealPrograms {
  readonly directory: string;
  /** Starts one of the others and ends it, with all that it started, when the lab has gone. */
  readonly guard: string;
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly scheduler: string;
  readonly kubectl: string;
  readonly kwok: string;
  /** Server, node-agent, mover and command line in one. */
  readonly velero: string;
  /** Velero's object store plugins. */
  readonly pluginDirectory: string;
}

export interface BuildOptions {
  /** Told a line whenever there is something to say, and at least every ten seconds while something is built. */
  readonly tell: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Default: `LIFEBOAT_REAL`, else `~/.cache/lifeboat-real`. */
  readonly directory?: string;
}

/** A program could not be built; the message says which and what the compiler said. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
}

const tellEveryMs = 10_000;
/** What is kept of the compiler's words. */
const saidMax = 4_000;
/** What it says as it goes: a package, or a module that it fetches. */
const isCompiled = /^[\w.~/-]+$/;
const isFetched = /^go: downloading /;

/** Where the programs are kept when nobody says otherwise. */
export const programsDirectory = (): string => path.resolve(process.env["LIFEBOAT_REAL"] ?? path.join(homedir(), ".cache", "lifeboat-real"));

/** Are all of them here, and as their sources are now? */
export const programsAreBuilt = (directory = programsDirectory()): boolean => recipes.every((recipe) => isBuilt(directory, recipe));

/** Builds what is missing or older than its sources, about nine minutes on two cores the first time, else at once. Throws a `BuildFailed`, or the signal's reason. */
export async function realPrograms({ tell, signal, directory = programsDirectory() }: BuildOptions): Promise<RealPrograms> {
  if (!programsAreBuilt(directory)) await buildAll(directory, tell, signal);
  const file = (name: string) => path.join(directory, name);
  return {
    directory,
    guard: file("guard"),
    etcd: file("etcd"),
    apiServer: file("kube-apiserver"),
    controllerManager: file("kube-controller-manager"),
    scheduler: file("kube-scheduler"),
    kubectl: file("kubectl"),
    kwok: file("kwok"),
    velero: file("velero"),
    pluginDirectory: file("plugins"),
  };
}

async function buildAll(directory: string, tell: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const hurdle = await goHurdle();
  if (hurdle !== null) throw new BuildFailed(hurdle);
  makeFolder(directory);
  const lock = `build-${createHash("sha256").update(directory).digest("hex").slice(0, 16)}`;
  const release = await takeLock(lock, { signal, everyMs: 500, onWait: () => tell(`somebody else builds into ${directory}: waiting until that is done`) });
  try {
    // Whoever we waited for may have done all of it.
    for (const [at, recipe] of recipes.entries()) if (!isBuilt(directory, recipe)) await build(directory, recipe, `${recipe.file} (${at + 1} of ${recipes.length})`, tell, signal);
  } finally {
    await release();
  }
}

function makeFolder(directory: string): void {
  try {
    mkdirSync(path.join(directory, ".sources"), { recursive: true });
  } catch (error) {
    throw new BuildFailed(`the programs cannot be kept in ${directory}: ${error instanceof Error ? error.message : String(error)}; name another folder with LIFEBOAT_REAL`, { cause: error });
  }
}

const markOf = (directory: string, { file }: Recipe) => path.join(directory, ".sources", file.replaceAll("/", "-"));

function isBuilt(directory: string, recipe: Recipe): boolean {
  const mark = markOf(directory, recipe);
  return existsSync(path.join(directory, recipe.file)) && existsSync(mark) && readFileSync(mark, "utf8") === sourcesDigest(recipe);
}

async function build(directory: string, recipe: Recipe, title: string, tell: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const target = path.join(directory, recipe.file);
  const unfinished = `${target}.new`;
  const digest = sourcesDigest(recipe);
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  mkdirSync(path.dirname(target), { recursive: true });
  tell(`building ${title}`);
  const done = { fetched: 0, compiled: 0 };
  const timer = setInterval(() => tell(`building ${title}: ${done.fetched} modules fetched, ${done.compiled} packages compiled, ${seconds()}`), tellEveryMs);
  try {
    await goBuild(recipe, unfinished, { done, signal });
    // In one move: a region that runs keeps the file it has.
    renameSync(unfinished, target);
    writeFileSync(markOf(directory, recipe), digest);
    tell(`built ${title} in ${seconds()}`);
  } finally {
    clearInterval(timer);
    rmSync(unfinished, { force: true });
  }
}

interface Compiling {
  /** Counted up as it goes. */
  readonly done: { fetched: number; compiled: number };
  readonly signal: AbortSignal | undefined;
}

function goBuild(recipe: Recipe, target: string, { done, signal }: Compiling): Promise<void> {
  signal?.throwIfAborted();
  const linker = ["-s", "-w", ...recipe.stamps.flatMap((stamp) => ["-X", stamp])].join(" ");
  // With -v it says each package that it compiles. Stamped with our own commit, every commit would give another program.
  const compiler = spawn("go", ["build", "-v", "-buildvcs=false", "-ldflags", linker, "-o", target, recipe.package], {
    cwd: recipe.module,
    // A group of its own, for it starts compilers.
    detached: true,
    env: { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = () => endGroup(compiler);
  signal?.addEventListener("abort", stop);
  process.once("exit", stop);
  return new Promise<void>((resolve, reject) => {
    let said = "";
    compiler.stderr.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) {
        if (isFetched.test(line)) done.fetched += 1;
        else if (isCompiled.test(line)) done.compiled += 1;
      }
      said = (said + text).slice(-saidMax);
    });
    compiler.once("error", (error) => reject(new BuildFailed(`${recipe.file} could not be built: go did not start: ${error.message}`)));
    compiler.once("close", (code, killed) => {
      if (code === 0) resolve();
      else if (signal?.aborted === true) reject(signal.reason as Error);
      else reject(new BuildFailed(explain(recipe, killed ?? `exit code ${code}`, said)));
    });
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    process.removeListener("exit", stop);
  });
}

function explain(recipe: Recipe, ended: string, said: string): string {
  const words = said.split("\n").filter((line) => line !== "" && !isCompiled.test(line) && !isFetched.test(line)).slice(-20).join("\n");
  const remedy = /dial tcp|no such host|proxyconnect|i\/o timeout|connection refused/.test(words)
    ? "the first build fetches Go modules: let it reach proxy.golang.org, or set GOPROXY to a proxy that it can reach"
    : /no space left/.test(words)
      ? "free some space: a first build takes 8 GB in Go's caches and 0.6 GB for the programs"
      : `try it by hand: cd ${recipe.module} && go build ${recipe.package}`;
  return `${recipe.file} could not be built, go ended with ${ended}; ${remedy}${words === "" ? "" : `\n${words}`}`;
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
