/** How long Velero takes to restore a thousand objects: the double's pace held against the real one's. Its client's rate limit makes it, not the machine. */
import { startClock } from "../lab/clock.ts";
import type { OpenEngines } from "../lab/engine/engine.ts";
import { openPair } from "../lab/pair-in-a-box.ts";
import { type Api, type ApiObject, openApi } from "../lab/real/api.ts";
import { realRun } from "../lab/run/real-run.ts";
import { typicalLatencies } from "../lab/world/latencies.ts";
import { primary } from "../lab/world/pair.ts";

const objects = 1_000;
const namespace = "crowd";
const lookMs = 50;
const waitMsMax = 180_000;

/** Seconds from a restore's first sign of work to its end, in one region's own Velero, at the pace of the wall. */
export async function thousandObjects(openEngines: OpenEngines): Promise<number> {
  const { latencies, traffic } = realRun(openEngines);
  const clock = startClock({ startMs: Date.now(), rate: 1 });
  const pair = await openPair({ topology: "replicated", clock, latencies: { ...typicalLatencies, ...latencies, veleroRestoreItem: typicalLatencies.veleroRestoreItem }, traffic, seeding: { recorded: false }, openEngines });
  const engine = pair.engines[primary.region];
  const api = openApi({ url: engine.apiUrl, caPem: pair.caPem, token: await engine.operatorToken() });
  try {
    await api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    for (let from = 0; from < objects; from += 20) await Promise.all(Array.from({ length: 20 }, (_, at) => api.apply(page(from + at))));
    await asked(api, "Backup", { includedNamespaces: [namespace], storageLocation: "default" });
    return await asked(api, "Restore", { backupName: namespace, namespaceMapping: { [namespace]: `${namespace}-back` } });
  } finally {
    api.close();
    await pair.close();
  }
}

const page = (at: number): ApiObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `page-${String(at).padStart(4, "0")}`, namespace }, data: { at: String(at) } });

/** Asks Velero for it and waits for its end: so many seconds after it was taken. */
async function asked(api: Api, kind: "Backup" | "Restore", spec: Readonly<Record<string, unknown>>): Promise<number> {
  await api.apply({ apiVersion: "velero.io/v1", kind, metadata: { name: namespace, namespace: "velero" }, spec });
  const path = `/apis/velero.io/v1/namespaces/velero/${kind.toLowerCase()}s/${namespace}`;
  const until = async (what: string, holds: (phase: string) => boolean): Promise<number> => {
    for (const giveUpAt = performance.now() + waitMsMax; performance.now() < giveUpAt; await new Promise((resolve) => setTimeout(resolve, lookMs))) {
      const { phase = "" } = ((await api.get(path))?.["status"] ?? {}) as { readonly phase?: string };
      if (/Failed/.test(phase)) throw new Error(`the ${kind} of ${objects} objects ended ${phase}`);
      if (holds(phase)) return performance.now();
    }
    throw new Error(`the ${kind} of ${objects} objects was not ${what} within ${waitMsMax / 1_000} s`);
  };
  const takenAt = await until("taken", (phase) => !["", "New", "Queued", "ReadyToStart"].includes(phase));
  const endedAt = await until("at its end", (phase) => phase === "Completed");
  return Math.round((endedAt - takenAt) / 100) / 10;
}
