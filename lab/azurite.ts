/** Azurite's blob service as a process of its own: the bytes of every storage account in the lab. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import path from "node:path";

export interface Azurite {
  /** `http://127.0.0.1:4321`; accounts are the first part of the path. */
  readonly url: string;
  readonly pid: number;
  /** Ends the process; resolves when it is gone. Closing twice is closing once. */
  close(): Promise<void>;
}

export interface AzuriteOptions {
  /** The accounts that exist in it, each with the key that `accountKey` says. */
  readonly accounts: readonly string[];
  /** A folder to keep the blobs in; without it they live in memory and end with the process. */
  readonly location?: string;
  /** Until we give up; wall time, default 30, for a machine under load. */
  readonly timeoutSeconds?: number;
}

/** The made-up key of an account in the lab, the same every time, in base64 as tools want it. */
export const accountKey = (account: string): string => Buffer.from(`made-up-lab-key-of-${account}-opens-nothing-anywhere`).toString("base64");

/** Azurite could not be started, or ended before it listened; the message holds what it said itself. */
export class AzuriteFailed extends Error {
  override readonly name = "AzuriteFailed";
}

/** Resolves when it listens on a free loopback port. Throws an `AzuriteFailed`. It ends by itself when this process does. */
export async function startAzurite({ accounts, location, timeoutSeconds = 30 }: AzuriteOptions): Promise<Azurite> {
  const script = path.join(path.dirname(createRequire(import.meta.url).resolve("azurite/package.json")), "dist/src/blob/main.js");
  const child = spawn(
    process.execPath,
    [
      // Were this process killed, an orphan would keep its port and memory for ever.
      "--import",
      "data:text/javascript,process.once('disconnect',()=>process.exit())",
      script,
      "--blobHost",
      "127.0.0.1",
      // Any free port: no race for it.
      "--blobPort",
      "0",
      // In seconds. Its own five end a connection under a client that a busy machine held up.
      "--blobKeepAliveTimeout",
      "120",
      "--disableProductStyleUrl",
      // The SDK's service version is newer than any that Azurite knows.
      "--skipApiVersionCheck",
      "--silent",
      "--disableTelemetry",
      ...(location === undefined ? ["--inMemoryPersistence"] : ["--location", location]),
    ],
    {
      env: { PATH: process.env["PATH"], AZURITE_ACCOUNTS: accounts.map((account) => `${account}:${accountKey(account)}`).join(";") },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const kill = () => {
    // Let go before, it is held on to now: whoever waits for its end may have nothing else to stay for.
    child.ref();
    child.kill("SIGKILL");
    return gone;
  };
  try {
    const [, url = ""] = await heard(child, /successfully listens on (http:\/\/\S+)/, timeoutSeconds);
    let closing = false;
    child.once("exit", (code, signal) => {
      if (!closing) process.emitWarning(`Azurite (process ${child.pid}) ended by itself: ${signal ?? `exit code ${code}`}; storage does not answer any more`, "LabMistake");
    });
    letGo(child);
    return {
      url,
      pid: child.pid ?? 0,
      async close() {
        const first = !closing;
        closing = true;
        if (first && location !== undefined) await writtenOut(child);
        await kill();
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** What matches in its own words. Throws an `AzuriteFailed` when it ends before, or takes too long. */
function heard(child: ChildProcess, words: RegExp, timeoutSeconds: number): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => fail(`no answer within ${timeoutSeconds} s`), timeoutSeconds * 1000);
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new AzuriteFailed(`Azurite did not start: ${why}${said.trim() === "" ? "" : `; it said: ${said.trim()}`}`));
    };
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4_000);
      const match = words.exec(said);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`it ended with ${signal ?? `exit code ${code}`}`));
  });
}

/** It writes its index every few seconds and when it is asked to end: without asking, the last writes would be lost. */
async function writtenOut(child: ChildProcess): Promise<void> {
  const closed = heard(child, /successfully closed/, 5);
  child.kill("SIGTERM");
  await closed.catch(() => {});
}

/** A running Azurite must not keep a lab alive that has nothing else to do. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
}
