/**
 * A failover by hand, by somebody who knows everything beforehand: kubectl, velero, and one call to Azure for the traffic. It asks for no
 * confirmation, keeps no record, fences nothing, and looks at nothing but what it waits for. Two ways: everything in one Restore, whose
 * consumers act at once; or the same Restores that the app makes, in the same order, from files that were written beforehand.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { Consumer } from "../shared/domain/contents.ts";
import { readPlan } from "../shared/domain/plan-file.ts";
import { modifierObject, restoreObject } from "../shared/domain/restore-object.ts";
import { wavesOf } from "../shared/domain/runbook-terms.ts";
import { kubeconfig } from "../lab/real/credentials.ts";
import type { RealPrograms } from "../lab/real/programs.ts";
import type { RunningLab } from "../lab/run/run-lab.ts";
import { audiences } from "../lab/world/identity.ts";
import { dnsZone, primary, regions, secondary, trafficManager } from "../lab/world/pair.ts";

export interface ByHand {
  /** Until the secondary's Velero lists the backup. */
  readonly listedSeconds: number;
  /** From then until the restore is over and every pod Ready. */
  readonly restoreSeconds: number;
  /** From the start until the public name is answered by the secondary. */
  readonly totalSeconds: number;
}

export type Way = "at-once" | "the-same";

/** Fails over now. Throws when a command fails, or the page does not come. */
export async function failOverByHand({ pair, observer }: RunningLab, { kubectl, velero }: Pick<RealPrograms, "kubectl" | "velero">, { plan, namespace, backup, way }: { readonly plan: "shop" | "demo"; readonly namespace: string; readonly backup: string; readonly way: Way }): Promise<ByHand> {
  const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-by-hand-"));
  const file = path.join(folder, "kubeconfig");
  const engine = pair.engines[secondary.region];
  writeFileSync(file, kubeconfig({ name: "secondary", url: engine.apiUrl, caPem: pair.caPem, token: await engine.operatorToken() }), { mode: 0o600 });
  const run = async (program: string, ...args: readonly string[]) => promisify(execFile)(program, ["--kubeconfig", file, ...args], { env: { PATH: process.env["PATH"] ?? "", HOME: folder }, timeout: 180_000 });
  const files = way === "the-same" ? sameRestores(plan, backup).map(({ name, objects }, at) => ({ name, file: written(path.join(folder, `restore-${at}.json`), objects) })) : [];
  const startedAt = performance.now();
  const since = (from: number) => Math.round((performance.now() - from) / 100) / 10;
  try {
    while (!(await run(kubectl, "-n", "velero", "get", "backup", backup).then(() => true, () => false))) await wait(300);
    const listedAt = performance.now();
    if (way === "at-once") await run(velero, "restore", "create", "by-hand", "--from-backup", backup, "--wait");
    for (const { name, file: prepared } of files) {
      await run(kubectl, "create", "-f", prepared);
      // Not for its phase: where the store refuses writes, the log that it could not keep makes it PartiallyFailed.
      await run(kubectl, "-n", "velero", "wait", "--for=jsonpath={.status.completionTimestamp}", `restore/${name}`, "--timeout=120s");
    }
    await run(kubectl, "-n", namespace, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s");
    const restoreSeconds = since(listedAt);
    const answered = observer.until(({ ok, address }) => ok && address === regions[secondary.region].ingressAddress, 120_000, "the secondary to answer under the public name");
    await (plan === "shop" ? switchProfile(pair) : switchRecord(pair));
    await answered;
    return { listedSeconds: Math.round((listedAt - startedAt) / 100) / 10, restoreSeconds, totalSeconds: since(startedAt) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Restores of the example plan in their order, each with what it needs. What is held back is known beforehand too. */
function sameRestores(plan: "shop" | "demo", backup: string): readonly { readonly name: string; readonly objects: readonly unknown[] }[] {
  const read = readPlan(readFileSync(new URL(`../docs/plans/${plan === "shop" ? "shop-replicated" : "demo"}.yaml`, import.meta.url), "utf8"), (text) => text);
  if (read.kind === "unreadable") throw new Error(`the example plan ${plan} is none`);
  const restores = wavesOf(read.plan).flat().flatMap((name) => read.plan.applications.filter((application) => application.name === name)).flatMap((application) => {
    const held = application.namespaces.length === 0 ? [] : heldInShop;
    const parts = (plan === "shop" && held.length > 0 ? ["main", "consumers"] : ["main"]) as readonly ("main" | "consumers")[];
    return parts.map((part) => ({ name: `by-hand-${application.name}-${part}`, namespace: "velero", runId: "by-hand", backup, application, part, consumers: held }));
  });
  return restores.map((order) => ({ name: order.name, objects: [...(order.part === "consumers" ? [modifierObject(order)] : []), restoreObject(order)] }));
}

/** The shop's consumers, as lab/applications/shop.yaml has them. */
const heldInShop: readonly Consumer[] = [
  { apiVersion: "apps/v1", kind: "Deployment", name: "order-mailer", replicas: 1, suspended: null },
  { apiVersion: "batch/v1", kind: "CronJob", name: "invoice-run", replicas: null, suspended: false },
].map((one) => ({ ...one, namespace: "shop", podLabels: {}, owned: false, selectedBy: [], claims: [] }));

function written(file: string, objects: readonly unknown[]): string {
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  return file;
}

async function switchProfile(pair: RunningLab["pair"]): Promise<void> {
  const endpoint = (name: string, endpointStatus: "Enabled" | "Disabled") => azure(pair, "PATCH", `${trafficManager.id}/externalEndpoints/${name}`, { properties: { endpointStatus } });
  await endpoint(trafficManager.endpoints.primary, "Disabled");
  await endpoint(trafficManager.endpoints.secondary, "Enabled");
}

const switchRecord = (pair: RunningLab["pair"]) => azure(pair, "PUT", `${dnsZone.id}/CNAME/demo`, { properties: { TTL: 5, CNAMERecord: { cname: regions[secondary.region].ingressHost } } });

async function azure(pair: RunningLab["pair"], method: "PATCH" | "PUT", id: string, body: unknown): Promise<void> {
  const { token } = await pair.people.mint(audiences.arm);
  const response = await fetch(`${pair.arm.url}${id}?api-version=2018-05-01`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${method} ${id}: ${response.status} ${await response.text()}`);
}

/** The region dies; whoever watches knows at once. */
export const loseIt = ({ pair }: RunningLab): void => pair.lose(primary.region);
