/** One more backup before the loss, made by the primary's own Velero: the application is saved as it is now, and the copy is checked by the blob door. */
import path from "node:path";
import { scheduleName } from "../engine/applications.ts";
import { primary } from "../world/pair.ts";
import { type ClusterClient, clusterClient } from "./cluster-client.ts";
import type { Tell } from "./events.ts";
import type { RunningLab } from "./run-lab.ts";
import type { Scenario } from "./scenarios.ts";

/** What the shop shows from now on: told apart from every recorded point. */
const banner = "Night market";
const velero = "/apis/velero.io/v1/namespaces/velero";
const waitMsMax = 900_000;

export async function makeBackup(lab: RunningLab, { heldBack, plan }: Scenario, tell: Tell): Promise<void> {
  const { pair, app } = lab;
  const { clock } = pair.world;
  const cluster = clusterClient(pair, primary.region);
  const { name, labels, spec, shows } = plan === "shop" ? await changedShop(lab, cluster) : demoBackup;
  const missing = heldBack.map((pattern) => pattern.replaceAll("{backup}", name));
  for (const blob of missing) pair.storage.holdBack(blob);
  await expectOk(cluster.request("POST", `${velero}/backups`, { apiVersion: "velero.io/v1", kind: "Backup", metadata: { name, namespace: "velero", labels }, spec: { ...spec, storageLocation: pair.engines[primary.region].backupLocation } }), "ask for a backup");
  await until(clock, async () => {
    const phase = phaseOf((await cluster.request("GET", `${velero}/backups/${name}`)).object);
    if (phase !== "" && phase.includes("Failed")) throw new Error(`the backup ${name} ended ${phase}`);
    return phase === "Completed";
  }, `the backup ${name} to complete`);
  tell({ event: "backup", name, phase: "Completed", shows });

  // The blob door sees it at its source, and looks at both ends until the copy is whole.
  await until(clock, async () => {
    const point = (await app.plan(plan)).register.points[name];
    if (point === undefined) return false;
    const { reached, usable, open } = point.restorePoint;
    const whole = usable.kind === "usable" && reached === "readable";
    const about = whole ? "arrived whole" : usable.kind === "unusable" ? usable.reason : (open[0]?.about ?? "not proven");
    // Held back: told when the app knows the backup, and knows what is missing from it.
    if (!whole && !missing.some((blob) => open.some(({ about: reason }) => reason.includes(path.posix.basename(blob))))) return false;
    tell({ event: "checked", name, reached, usable: whole, about });
    return true;
  }, `the blob door to check ${name}`);
}

interface BackupOrder {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  /** What the page shows while it is made. */
  readonly shows: string;
}

/** As a person takes it by hand. */
const demoBackup: BackupOrder = { name: "demo-backup", labels: {}, spec: { includedNamespaces: ["disaster-demo"] }, shows: "still here" };

/** The shop gets another banner, so that its page tells this backup from all others; then what its schedule would make now. */
async function changedShop({ pair, observer }: RunningLab, cluster: ClusterClient): Promise<BackupOrder> {
  await expectOk(cluster.request("PATCH", "/api/v1/namespaces/shop/configmaps/storefront", { data: { banner } }), "change the banner");
  await observer.until(({ body }) => body.includes(banner), waitMsMax, `the page to show "${banner}"`);
  const { object } = await expectOk(cluster.request("GET", `${velero}/schedules/${scheduleName}`), "read the schedule");
  const { template = {} } = (object["spec"] ?? {}) as { readonly template?: Readonly<Record<string, unknown>> };
  return { name: `${scheduleName}-${stamp(pair.world.clock.now())}`, labels: { "velero.io/schedule-name": scheduleName }, spec: template, shows: banner };
}

const phaseOf = (object: Record<string, unknown>): string => (object["status"] as { phase?: string } | undefined)?.phase ?? "";

/** `YYYYMMDDhhmmss`, as Velero names the backups of a schedule. */
const stamp = (at: number): string => new Date(at).toISOString().replaceAll(/[^\d]/g, "").slice(0, 14);

async function expectOk(answer: Promise<{ readonly status: number; readonly object: Record<string, unknown> }>, what: string) {
  const { status, object } = await answer;
  if (status >= 300) throw new Error(`could not ${what}: status ${status}, ${JSON.stringify(object).slice(0, 200)}`);
  return { object };
}

async function until(clock: RunningLab["pair"]["world"]["clock"], done: () => Promise<boolean>, waitingFor: string): Promise<void> {
  const giveUpAt = clock.now() + waitMsMax;
  while (!(await done())) {
    if (clock.now() > giveUpAt) throw new Error(`waited ${waitMsMax / 60_000} minutes of lab time for ${waitingFor}`);
    await clock.sleep(100 * clock.rate);
  }
}
