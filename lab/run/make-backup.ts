/** One more backup before the loss, made by the primary's own Velero: the shop changes, is saved, and its copy is checked by the blob door. */
import path from "node:path";
import { primary } from "../world/pair.ts";
import { clusterClient } from "./cluster-client.ts";
import type { Tell } from "./events.ts";
import type { RunningLab } from "./run-lab.ts";
import type { Scenario } from "./scenarios.ts";

/** What the shop shows from now on: told apart from every recorded point. */
const banner = "Night market";
const schedule = "shop-hourly";
const waitMsMax = 900_000;

export async function makeBackup({ pair, app, observer }: RunningLab, { heldBack, plan }: Scenario, tell: Tell): Promise<void> {
  const { clock } = pair.world;
  const cluster = clusterClient(pair, primary.region);
  const velero = "/apis/velero.io/v1/namespaces/velero";
  await expectOk(cluster.request("PATCH", "/api/v1/namespaces/shop/configmaps/storefront", { data: { banner } }), "change the banner");
  await observer.until(({ body }) => body.includes(banner), waitMsMax, `the page to show "${banner}"`);

  const { object } = await expectOk(cluster.request("GET", `${velero}/schedules/${schedule}`), "read the schedule");
  const name = `${schedule}-${stamp(clock.now())}`;
  const missing = heldBack.map((pattern) => pattern.replaceAll("{backup}", name));
  for (const blob of missing) pair.storage.holdBack(blob);
  const template = (object["spec"] as { template?: Record<string, unknown> } | undefined)?.template ?? {};
  await expectOk(
    cluster.request("POST", `${velero}/backups`, { apiVersion: "velero.io/v1", kind: "Backup", metadata: { name, namespace: "velero", labels: { "velero.io/schedule-name": schedule } }, spec: template }),
    "ask for a backup",
  );
  await until(clock, async () => {
    const phase = phaseOf((await cluster.request("GET", `${velero}/backups/${name}`)).object);
    if (phase !== "" && phase.includes("Failed")) throw new Error(`the backup ${name} ended ${phase}`);
    return phase === "Completed";
  }, `the backup ${name} to complete`);
  tell({ event: "backup", name, phase: "Completed", shows: banner });

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
