/** Which backups belong to a plan. */
import type { Plan } from "./plan.ts";
import { scheduleLabel } from "./velero-backup.ts";

/** By its name alone: a name that the plan gives, or the name that its schedule gives. */
export function namedByPlan(plan: Plan, backup: string): boolean {
  const { names, schedule } = plan.backups;
  if (names.some((name) => (name.endsWith("*") ? backup.startsWith(name.slice(0, -1)) : backup === name))) return true;
  return schedule !== undefined && backup.startsWith(`${schedule}-`) && /^\d{14}$/.test(backup.slice(schedule.length + 1));
}

/** By its labels: a backup made from the plan's schedule by hand has another name, and the schedule's label. */
export const labelledForPlan = (plan: Plan, labels: Readonly<Record<string, string>>): boolean => plan.backups.schedule !== undefined && labels[scheduleLabel] === plan.backups.schedule;

/** What picks consumers in the plan's applications, as `label=value`: their own label, and the labels of their pods. */
export const consumerSelectorsOf = (plan: Plan): readonly string[] => [...new Set(plan.applications.flatMap(({ consumers }) => [`${consumers.label}=true`, ...consumers.podSelectors]))];
