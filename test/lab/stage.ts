/**
 * The pair and the app on its host, up and with the plan verified, for tests that choose for themselves what is lost and what is asked. The
 * app is reached by its HTTP doors alone, users' sight of it by DNS; what breaks is broken in the world.
 */
import { Resolver } from "node:dns/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Report } from "../../shared/domain/report.ts";
import { functionKey, startAppHost } from "../../lab/app-host.ts";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import { rpcPath } from "../../lab/host/durable/client-binding.ts";
import type { HostProcess } from "../../lab/host/process.ts";
import { type LabPair, openPair } from "../../lab/pair-in-a-box.ts";
import { type AppClient, appClient } from "../../lab/run/app-client.ts";
import { clusterClient } from "../../lab/run/cluster-client.ts";
import { alertOf } from "../../lab/run/azure-monitor.ts";
import { labPlan, type Topology } from "../../lab/run/plans.ts";
import { quickPlan, quickRun } from "../../lab/run/quick.ts";
import { blobHost, primary, publicName } from "../../lab/world/pair.ts";

/** Until a hook or a test is given up, wall milliseconds: seconds are enough, but for a machine with much else to do. */
export const patience = { up: 120_000, down: 30_000, test: 120_000 } as const;

/** Lab seconds in a second of ours: a deadline of minutes still leaves seconds to a machine that is busy. */
export const quickRate = 50;

/** The plan with other numbers in fields of a name that it has once. Throws on a field that it has not: the test would test something else. */
export function changed(plan: string, fields: Readonly<Record<string, number>>): string {
  return Object.entries(fields).reduce((text, [field, value]) => {
    const pattern = new RegExp(`^(\\s*${field}:) \\d+$`, "m");
    if (!pattern.test(text)) throw new Error(`the plan has no number ${field}`);
    return text.replace(pattern, `$1 ${value}`);
  }, plan);
}

export interface StageOptions {
  readonly topology: Topology;
  readonly rate?: number;
  readonly blobPollMs?: number;
  readonly changePlan?: (plan: string) => string;
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly ignored?: string; readonly runs?: readonly { readonly plan: string; readonly kind: string; readonly runId: string | null; readonly why?: string }[] };
}

export interface Stage {
  readonly pair: LabPair;
  readonly app: AppClient;
  readonly host: HostProcess;
  /** Puts another version of the plan; runs that are open keep theirs. */
  putPlan(change: (plan: string) => string): Promise<void>;
  /** Posts to the alert door, with its key. */
  post(alert: unknown): Promise<Answer>;
  /** An alert of that id, fired now, and the run that it opened; throws when it opened none. */
  fire(alertId: string): Promise<string>;
  /** The report of a run, as soon as it has ended. */
  ended(runId: string): Promise<Report>;
  /** The addresses that name servers give for the public name now. */
  publicAddresses(): Promise<readonly string[]>;
  /** The instances of the durable host whose ids begin so, by its own API. */
  instances(idPrefix: string): Promise<readonly { readonly name: string; readonly instanceId: string; readonly runtimeStatus: string }[]>;
  /** One container of an account, over HTTP to the storage front; `stshopgeo-secondary` is an account here. */
  container(account: string, container: string): ReturnType<ReturnType<typeof frontBlobStores>>;
  close(): Promise<void>;
}

/** Opens everything or nothing. The example plan of the topology is at home and verified once. */
export async function openStage({ topology, rate = quickRate, blobPollMs = quickRun.blobPollMs, changePlan = (plan) => plan }: StageOptions): Promise<Stage> {
  const pair = await openPair({ topology, rate, latencies: quickRun.latencies });
  const stateDirectory = await mkdtemp(path.join(tmpdir(), "lifeboat-stage-"));
  let host: HostProcess | null = null;
  const close = async () => {
    await host?.kill("SIGKILL");
    await pair.close();
    await rm(stateDirectory, { recursive: true, force: true });
  };
  try {
    await pauseSchedule(pair);
    const started = await startAppHost({ pair, stateDirectory, topology, blobPollMs });
    host = started;
    const app = appClient(pair, () => started.url);
    const putPlan = async (change: (plan: string) => string) => app.putPlan("shop", change(quickPlan(await labPlan("shop", topology, pair.port))));
    await putPlan(changePlan);
    await until("the plan to be verified", async () => Object.keys((await app.plan("shop")).register.points).length > 0);
    return { pair, app, host: started, putPlan, ...doorsOf(pair, app, started), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** At these rates the hour in which the primary backs itself up comes within seconds: what is restorable shall be what was recorded. */
async function pauseSchedule(pair: LabPair): Promise<void> {
  const { status } = await clusterClient(pair, primary.region).request("PATCH", "/apis/velero.io/v1/namespaces/velero/schedules/shop-hourly", { spec: { paused: true } });
  if (status !== 200) throw new Error(`the schedule could not be paused: status ${status}`);
}

function doorsOf(pair: LabPair, app: AppClient, host: HostProcess): Pick<Stage, "post" | "fire" | "ended" | "publicAddresses" | "instances" | "container"> {
  const post = async (alert: unknown): Promise<Answer> => {
    const response = await fetch(`${host.url}/api/alerts`, { method: "POST", headers: { "content-type": "application/json", "x-functions-key": functionKey }, body: JSON.stringify(alert), signal: AbortSignal.timeout(15_000) });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  };
  return {
    post,
    async fire(alertId) {
      const { status, body } = await post(alertOf("Fired", { id: alertId, at: pair.world.clock.now() }));
      const [run] = body.runs ?? [];
      if (run?.kind !== "opened" || run.runId === null) throw new Error(`alert ${alertId} opened no run: ${status} ${JSON.stringify(body)}`);
      return run.runId;
    },
    async ended(runId) {
      let report: Report | null = null;
      await until(`${runId} to end`, async () => {
        const seen = await app.run(runId);
        if (seen?.state === "ended") report = seen.report;
        return report !== null;
      });
      // Set, or `until` had thrown.
      return report as unknown as Report;
    },
    async publicAddresses() {
      const resolver = new Resolver({ timeout: 2_000, tries: 2 });
      resolver.setServers([`${pair.dns.address}:${pair.dns.port}`]);
      return resolver.resolve4(publicName);
    },
    async instances(idPrefix) {
      const response = await fetch(`${host.url}${rpcPath}/instances?instanceIdPrefix=${idPrefix}`, { signal: AbortSignal.timeout(15_000) });
      return (await response.json()) as Awaited<ReturnType<Stage["instances"]>>;
    },
    container: (account, container) => frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(account)}`, container }),
  };
}

/** Asks until it is so; fails with the words given. Wall time: a machine under load is no failure of the app. */
export async function until(what: string, isSo: () => Promise<boolean>, patienceMs = 100_000): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`waited ${patienceMs / 1_000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
