/** `npm run lab`: loses a region and gets the application back in the other one, on this machine. */
import { createWriteStream } from "node:fs";
import path from "node:path";
import process from "node:process";
import { startClock } from "../clock.ts";
import { openGivens } from "../engine/given.ts";
import { openReals } from "../engine/real.ts";
import { lookAtGiven } from "../given/look.ts";
import { realHurdles } from "../real/needs.ts";
import { realPrograms } from "../real/programs.ts";
import { demoName } from "../world/application.ts";
import { publicName } from "../world/pair.ts";
import { writeDoors } from "./doors-file.ts";
import type { Tell } from "./events.ts";
import { type LabOptions, readOptions } from "./options.ts";
import { preflight } from "./preflight.ts";
import { givenRun, realRun, realScenario } from "./real-run.ts";
import { runLab } from "./run-lab.ts";
import { hushable } from "./show/hushable.ts";
import { openShow } from "./show/open-show.ts";
import type { Show } from "./show/show.ts";
import { waysIn } from "./show/ways-in.ts";
import { type Stop, watchForStop } from "./stop.ts";
import { troubleOf } from "./trouble.ts";

const out = (text: string) => void process.stdout.write(text);
const err = (text: string) => void process.stderr.write(text);

/** Wall time for taking everything out of clusters elsewhere, a hundred requests or so to each. */
const closeGivenMsMax = 60_000;

const read = readOptions(process.argv.slice(2), { out, err, environment: process.env });
const code = read.kind === "over" ? read.code : await lab(read.options);
// Nothing is left open, but a lingering connection of some library must not keep us here.
process.stdout.write("", () => process.exit(code));

/** One run to its exit code. */
async function lab(options: LabOptions): Promise<number> {
  const given = options.given === null ? null : await lookAtGiven(options.given);
  const hurdles = [...(await preflight({ reportDirectory: options.report, port: options.port })), ...(given?.kind === "hurdles" ? given.hurdles : []), ...(options.real && given === null ? await realHurdles() : [])];
  if (hurdles.length > 0) {
    for (const hurdle of hurdles) err(`${hurdle}\n`);
    err("nothing was started\n");
    return 2;
  }
  // Real programs write the time on the wall.
  const clock = startClock({ rate: options.rate, ...(options.real ? { startMs: Date.now() } : {}) });
  const page = options.scenario.plan === "shop" ? publicName : demoName;
  const show = hushable(openShow({ options, page, now: () => clock.now(), environment: process.env, stdout: process.stdout, stderr: process.stderr }));
  const stopping = (signal: string) => {
    show.note("stopping: everything is being closed");
    if (options.json) tell({ event: "failed", why: `stopped by ${signal}` });
    show.hush();
  };
  // What is left in somebody's clusters is told whatever else is not: a run is over when they are as they were.
  const left: string[] = [];
  let isTidy = given === null;
  const giveUp = () => {
    show.end();
    // Asked once more when the process ends.
    const isCutShort = !isTidy;
    isTidy = true;
    if (isCutShort) err("closing was cut short: what the lab made in your clusters and your storage account may still be there; the next run there removes it\n");
  };
  const stop = watchForStop({ onStop: stopping, giveUp, ...(given === null ? {} : { closeMsMax: closeGivenMsMax }) });
  notesInsteadOfWarnings(show);
  // What is waited for may hold nothing open itself, and a process that has only promises left ends in the middle of them.
  const awake = setInterval(() => undefined, 60_000);
  let urls: Readonly<Record<string, string>> = {};
  const tell: Tell = (told) => {
    if (told.event === "up") urls = told.urls;
    show.tell({ at: new Date(clock.now()).toISOString(), ...told });
  };
  const logFile = path.join(options.report, "app.jsonl");
  const log = createWriteStream(logFile);
  try {
    const { scenario, topology, rate, real, report, port, keep } = options;
    const reals = async () => openReals({ programs: await realPrograms({ tell: (stage) => tell({ event: "stage", stage }), signal: stop.signal }), signal: stop.signal });
    const settings = given?.kind === "ready" ? givenRun(openGivens({ looked: given.looked, signal: stop.signal, onLeft: (what) => void left.push(what) }), given.looked) : real ? realRun(await reals()) : {};
    const { failures } = await runLab({
      ...settings,
      scenario: real ? realScenario(scenario) : scenario,
      topology,
      rate,
      clock,
      reportDirectory: report,
      signal: stop.signal,
      tell,
      ...(port === null ? {} : { port }),
      onLog: (record) => void log.write(`${JSON.stringify(record)}\n`),
      ...(keep ? { beforeClose: async (lab) => stayUp(options, waysIn(urls, { doors: await writeDoors(lab), log: logFile }), stop) } : {}),
    });
    return failures.length === 0 && left.length === 0 ? 0 : 1;
  } catch (error) {
    if (stop.code !== null) return stop.code;
    show.end();
    err(`${troubleOf(error)}\n`);
    if (options.json) tell({ event: "failed", why: troubleOf(error) });
    return 1;
  } finally {
    clearInterval(awake);
    log.end();
    isTidy = true;
    show.end();
    for (const what of left) err(`${what}\n`);
  }
}

/** Until somebody stops it: then the run has come to its end, and its own exit code counts. */
async function stayUp({ json }: LabOptions, ways: readonly string[], stop: Stop): Promise<void> {
  // Standard output holds nothing but JSON then, and the report is its last line.
  const say = json ? err : out;
  for (const line of ["", ...ways]) say(`${line}\n`);
  await stop.instead();
}

/** Node writes warnings over whatever is drawn. */
function notesInsteadOfWarnings(show: Show): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ message }) => show.note(`note: ${message.split("\n", 1)[0]}`));
}
