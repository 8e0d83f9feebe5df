/** Schedules: a backup when one is due, unless the schedule is paused or its last backup is still under way. */
import { Cron } from "croner";
import { readCron } from "../../../shared/domain/plan-cron.ts";
import { sameJson } from "../kubernetes/object.ts";
import { nowText, recordAct, type VeleroContext } from "./context.ts";
import { changeVelero, createVelero, getVelero, listVelero, type Schedule } from "./objects.ts";

/** How often Velero looks at its schedules. */
const lookMs = 60_000;
const underWay: ReadonlySet<string> = new Set(["", "New", "InProgress"]);

export function runSchedules(context: VeleroContext): void {
  const { session, store } = context;
  session.follow("schedules", ({ type, object, before }) => {
    if (type === "DELETED" || (before !== null && sameJson(before["spec"], object["spec"]))) return;
    session.task(`look at schedule ${object.metadata.name}`, async () => {
      await session.sleep(0);
      look(context, object.metadata.name);
    });
  });
  session.every("look at schedules", () => lookMs, async () => {
    for (const schedule of listVelero(store, "schedules")) look(context, schedule.metadata.name);
  });
}

function look(context: VeleroContext, name: string): void {
  const { store, world } = context;
  const schedule = getVelero(store, "schedules", name);
  if (!schedule || schedule.spec.paused === true) return;
  const cron = parse(schedule.spec.schedule);
  const problem = typeof cron === "string" ? cron : null;
  const validationErrors = problem === null ? {} : { validationErrors: [problem] };
  const phase = problem === null ? "Enabled" : "FailedValidation";
  if (schedule.status?.phase !== phase || schedule.spec.skipImmediately !== false) {
    changeVelero(store, "schedules", name, (draft) => {
      // Asked to skip the run that may be due at once: as if it had been run now.
      const skipped = draft.spec.skipImmediately === true ? { lastSkipped: nowText(context) } : {};
      draft.spec.skipImmediately = false;
      const { validationErrors: _, ...status } = draft.status ?? {};
      draft.status = { ...status, phase, ...validationErrors, ...skipped };
    });
  }
  if (typeof cron === "string" || !isDue(getVelero(store, "schedules", name) ?? schedule, cron, world.clock.now())) return;
  if (listVelero(store, "backups").some(({ metadata, status }) => metadata.labels?.["velero.io/schedule-name"] === name && underWay.has(status?.phase ?? ""))) return;
  submit(context, schedule);
}

interface Rhythm {
  nextRun(after: Date): Date | null;
}

/** When it is due next, or why Velero does not take it. What it takes is not all that croner takes, and the other way round. */
function parse(expression: string): Rhythm | string {
  if (expression === "") return "Schedule must be a non-empty valid Cron expression";
  const read = readCron(expression);
  if (read.kind === "wrong") return `invalid schedule: it ${read.why}`;
  if (read.kind === "cron" && expression.startsWith("@every")) return { nextRun: (after) => new Date(after.getTime() + read.shortestSeconds * 1_000) };
  const [, zone = "Etc/UTC", pattern = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/.exec(expression) ?? [];
  try {
    return new Cron(pattern, { timezone: zone, paused: true, sloppyRanges: true });
  } catch (error) {
    return `invalid schedule: ${(error as Error).message}`;
  }
}

function isDue({ metadata, status }: Schedule, cron: Rhythm, now: number): boolean {
  const times = [status?.lastBackup ?? metadata.creationTimestamp, status?.lastSkipped].map((text) => Date.parse(text ?? "")).filter((at) => !Number.isNaN(at));
  const next = cron.nextRun(new Date(Math.max(0, ...times)));
  return next !== null && now > next.getTime();
}

/** `shop-hourly-20261121070000`, in UTC. */
function submit(context: VeleroContext, { metadata, spec }: Schedule): void {
  const { store, world } = context;
  const name = `${metadata.name}-${new Date(world.clock.now()).toISOString().replaceAll(/[-T:]/g, "").slice(0, 14)}`;
  if (getVelero(store, "backups", name)) return;
  createVelero(store, "backups", {
    metadata: {
      name,
      labels: { ...metadata.labels, "velero.io/schedule-name": metadata.name },
      ...(spec.useOwnerReferencesInBackup === true ? { ownerReferences: [{ apiVersion: "velero.io/v1", kind: "Schedule", name: metadata.name, uid: metadata.uid ?? "", controller: true }] } : {}),
    },
    spec: spec.template,
    status: {},
  });
  changeVelero(store, "schedules", metadata.name, (draft) => void (draft.status = { ...draft.status, lastBackup: nowText(context) }));
  recordAct(context, "backup-scheduled", name);
}
