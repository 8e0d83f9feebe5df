/**
 * The host as a process. Reads LAB_HOST (one JSON value, see `MainOptions`); the rest of the environment is the app's settings. Prints
 * `{"ready":true,"url":…}` on stdout when it serves, log records as JSON lines on stderr; exits 0 on SIGTERM after finishing what runs.
 */
import { joinClock } from "../clock.ts";
import { openEngine } from "./durable/engine.ts";
import { openHost } from "./host.ts";
import type { HostLog } from "./log.ts";
import { readMainOptions } from "./main-options.ts";

const { clock: clockText, endsWithParent, startFault, ...options } = readMainOptions(process.env);
const clock = joinClock(clockText);
const log: HostLog = (record) => void process.stderr.write(`${JSON.stringify({ at: clock.now(), ...record })}\n`);

try {
  const host = await openHost({
    ...options,
    ...(startFault === undefined ? {} : { startFault }),
    clock,
    log,
    environment: process.env,
    openEngine,
    onEvent: (event) => log({ level: "trace", category: "system", message: JSON.stringify({ durable: event }) }),
  });
  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    host.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log({ level: "critical", category: "system", message: `the host did not close: ${String(error)}` });
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", close);
  process.once("SIGINT", close);
  // Who started us holds the other end of stdin; when that process dies in whatever way, the pipe ends. Nobody waits for what runs
  // then, and what is on disk is whole at any moment.
  if (endsWithParent) process.stdin.once("end", () => process.exit(1)).resume();
  process.stdout.write(`${JSON.stringify({ ready: true, url: host.url })}\n`);
} catch (error) {
  log({ level: "critical", category: "system", message: `the host did not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
  process.exit(1);
}
