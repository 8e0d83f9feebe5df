/**
 * `intake`: a storm of alerts at the door of the embedded host, over HTTP, with the ledger in Azurite. So many a second come at their own
 * pace, whatever the answers do; one that is not taken is sent again, as an action group would. With `--kills N` the host is killed N
 * times meanwhile. Every alert must be acknowledged once, one run be open, and the ledger's own account hold at every look.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Head } from "../shared/domain/ledger.ts";
import { functionKey, startAppHost } from "../lab/app-host.ts";
import { frontBlobStores } from "../lab/faces/front-blob-store.ts";
import { openPair } from "../lab/pair-in-a-box.ts";
import { appClient } from "../lab/run/app-client.ts";
import { alertOf } from "../lab/run/azure-monitor.ts";
import { labPlan } from "../lab/run/plans.ts";
import { noLatencies } from "../lab/world/latencies.ts";
import { accounts, blobHost, primary } from "../lab/world/pair.ts";

const p99MsMax = 250;
/** Memory after the first third of the storm against memory in its last. */
const growthMiBMax = 50;
/** Ticks of the sender, wall milliseconds. */
const tickMs = 10;
const resendMs = 1_000;
/** An alert that was sent so often without an answer is lost, and the bench has failed. */
const sendsMax = 60;

export async function intake(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const perSecond = Number(options.get("rate") ?? 1_000);
  const seconds = Number(options.get("seconds") ?? 300);
  const kills = Number(options.get("kills") ?? 0);
  const stateDirectory = await mkdtemp(path.join(tmpdir(), "lifeboat-intake-"));
  const pair = await openPair({ topology: "replicated", rate: 1, latencies: noLatencies });
  const started = () => startAppHost({ pair, stateDirectory, topology: "replicated" });
  let host = await started();
  try {
    await appClient(pair, () => host.url).putPlan("shop", await labPlan("shop", "replicated", pair.port));
    pair.lose(primary.region);
    const storm = openStorm(() => host.url, perSecond * seconds, pair.world.clock.now());
    const memory: number[] = [];
    const unbalanced: string[] = [];
    const home = frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(accounts.home.name)}`, container: "lifeboat" });
    const look = async (): Promise<Head["intake"] | null> => {
      const bytes = await home.get("ledger/shop/head.json");
      if (bytes === null) return null;
      const { intake } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Head;
      if (intake.accepted !== intake.started + intake.merged + intake.suppressed + intake.rejected) unbalanced.push(JSON.stringify(intake));
      return intake;
    };
    const cpuBeforeMs = cpuMs(host.pid);
    const over = new AbortController();
    const watching = (async () => {
      while (!over.signal.aborted) {
        memory.push(residentMiB(host.pid));
        await look();
        await wait(1_000);
      }
    })();
    const killing = (async () => {
      for (let kill = 1; kill <= kills; kill++) {
        await wait((seconds * 1_000) / (kills + 1));
        await host.kill("SIGKILL");
        host = await started();
      }
    })();
    await storm.send(perSecond);
    await killing;
    await storm.answered();
    over.abort();
    await watching;

    // Of the host that is up last: with kills, only a part of the storm was its work.
    const hostCpuMsPerAlert = kills > 0 ? null : Math.round(((cpuMs(host.pid) - cpuBeforeMs) / storm.sent()) * 100) / 100;
    const account = await look();
    const { head } = await appClient(pair, () => host.url).plan("shop");
    const growthMiB = Math.round(median(memory.slice(-Math.ceil(memory.length / 3))) - median(memory.slice(0, Math.ceil(memory.length / 3))));
    const p99Ms = storm.percentileMs(0.99);
    const unaccounted = storm.sent() - storm.acknowledged();
    return {
      ok: unaccounted === 0 && head.epoch === 1 && unbalanced.length === 0 && (account?.accepted ?? 0) >= storm.acknowledged() && (kills > 0 || (p99Ms < p99MsMax && growthMiB < growthMiBMax)),
      perSecond,
      seconds,
      kills,
      sent: storm.sent(),
      acknowledged: storm.acknowledged(),
      sentAgain: storm.sentAgain(),
      unaccounted,
      runs: head.epoch,
      account,
      unbalanced: unbalanced.slice(0, 3),
      medianMs: storm.percentileMs(0.5),
      p99Ms,
      p99MsMax,
      growthMiB,
      hostCpuMsPerAlert,
      statuses: storm.statuses(),
    };
  } finally {
    await host.kill("SIGTERM");
    await pair.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

function openStorm(url: () => string, total: number, firedAt: number) {
  // More than ever wait for an answer: each sender of a real storm has a connection of its own.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2_048 });
  const latenciesMs: number[] = [];
  const statuses = new Map<string, number>();
  let sent = 0;
  let acknowledged = 0;
  let sentAgain = 0;
  let lost = 0;
  // One alert in ten says that its trouble is over, and one in twenty is a copy of an earlier one.
  const bodyOf = (number: number) => JSON.stringify(number % 10 === 9 ? alertOf("Resolved", { id: `storm-${number - 1}`, at: firedAt }, firedAt + 1_000) : alertOf("Fired", { id: `storm-${number % 20 === 10 ? number - 5 : number}`, at: firedAt }));
  const send = (body: string, sends: number): void => {
    const from = performance.now();
    const done = (status: string, taken: boolean) => {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (taken) {
        acknowledged += 1;
        if (sends === 1) latenciesMs.push(performance.now() - from);
        return;
      }
      if (sends === sendsMax) {
        lost += 1;
        return;
      }
      sentAgain += 1;
      setTimeout(() => send(body, sends + 1), resendMs);
    };
    const request = http.request(`${url()}/api/alerts`, { method: "POST", agent, headers: { "content-type": "application/json", "x-functions-key": functionKey, "content-length": Buffer.byteLength(body) }, timeout: 30_000 }, (response) => {
      response.resume();
      response.once("end", () => done(String(response.statusCode), response.statusCode === 202));
    });
    request.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? "broken", false));
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.end(body);
  };
  return {
    /** Sends at its own pace, whatever comes back. */
    async send(perSecond: number): Promise<void> {
      const from = performance.now();
      while (sent < total) {
        const due = Math.min(total, Math.floor(((performance.now() - from) / 1_000) * perSecond));
        for (; sent < due; sent++) send(bodyOf(sent), 1);
        await wait(tickMs);
      }
    },
    async answered(): Promise<void> {
      const open = () => sent - acknowledged - lost;
      while (open() > 0) await wait(100);
      agent.destroy();
    },
    sent: () => sent,
    acknowledged: () => acknowledged,
    sentAgain: () => sentAgain,
    statuses: () => Object.fromEntries(statuses),
    percentileMs: (share: number) => Math.round(latenciesMs.toSorted((a, b) => a - b)[Math.floor(latenciesMs.length * share)] ?? 0),
  };
}

/** What the kernel says a process holds; proc_pid_status(5). */
function residentMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

/** Processor time that a process has had: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
