/** Azurite's blob service as a process of its own: the bytes of every storage account in the lab. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
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
  /** Wall seconds until we give up; default 30, for a machine under load. */
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
      ...["--import", "data:text/javascript,process.once('disconnect',()=>process.exit())"],
      script,
      // Port 0 is any free one: no race for it.
      ...["--blobHost", "127.0.0.1", "--blobPort", "0", "--disableProductStyleUrl"],
      // The SDK's service version is newer than any that Azurite knows.
      ...["--skipApiVersionCheck", "--silent", "--disableTelemetry"],
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
  try {
    const url = await listening(child, timeoutSeconds);
    let closing = false;
    child.once("exit", (code, signal) => {
      if (!closing) process.emitWarning(`Azurite (process ${child.pid}) ended by itself: ${signal ?? `exit code ${code}`}; storage does not answer any more`, "LabMistake");
    });
    letGo(child);
    return {
      url,
      pid: child.pid ?? 0,
      close() {
        closing = true;
        child.kill("SIGKILL");
        return gone;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    await gone;
    throw error;
  }
}

/** Waits for the line that names its address. */
function listening(child: ChildProcess, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string) => reject(new AzuriteFailed(`Azurite did not start: ${why}${said.trim() === "" ? "" : `; it said: ${said.trim()}`}`));
    const timer = setTimeout(() => fail(`no answer within ${timeoutSeconds} s`), timeoutSeconds * 1000);
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4_000);
      const url = /successfully listens on (http:\/\/\S+)/.exec(said)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** A running Azurite must not keep a lab alive that has nothing else to do. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const pipe of [child.stdout, child.stderr]) {
    pipe?.resume();
    if (pipe && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
  }
}
