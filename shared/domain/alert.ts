/**
 * Alerts as Azure Monitor sends them (common alert schema), read tolerantly: Microsoft's own samples differ in spelling, types and
 * missing fields, so only what we act on is read, and only what a run cannot do without is demanded. An alert proposes; the
 * confirmation decides.
 */
import { z } from "zod";
import type { Plan } from "./plan.ts";

/** The custom property of an alert rule that names its plan. */
export const planProperty = "lifeboat-plan";

export type AlertReading = OurAlert | ForeignAlert | UnreadableAlert;

/** An alert about a plan of ours. `alertId` and `condition` together name it: copies of one alert have the same pair. */
export interface OurAlert {
  readonly kind: "ours";
  readonly plan: Plan;
  /** Further plans that the same targets belong to: a lost cluster may carry several. Empty when the alert names its plan. */
  readonly alsoPlans: readonly Plan[];
  readonly alertId: string;
  readonly condition: "fired" | "resolved";
  readonly rule: string;
  /** `Sev0` to `Sev4`, or `unknown`. */
  readonly severity: string;
  /** `null`: the alert does not say, or not in a way that can be read. */
  readonly firedAt: number | null;
  readonly targets: readonly string[];
  /** Why this is about that plan, for the ledger and the report. */
  readonly because: string;
}

/** Well formed, and not about any plan of ours: counted, nothing started. */
export interface ForeignAlert {
  readonly kind: "foreign";
  readonly why: string;
}

/** Not an alert that we can act on: the sender is told every reason. */
export interface UnreadableAlert {
  readonly kind: "unreadable";
  readonly problems: readonly string[];
}

const schemaId = "azureMonitorCommonAlertSchema";
/** Azure Monitor sends at most 256 kB; far fewer targets fit a real alert. */
const targetsMax = 100;

// What we could do without is read with `catch`, so that a surprise there costs only that field.
const essentialsSchema = z.object(
  {
    alertId: z
      .string({ error: "data.essentials.alertId must be text: without it copies of one alert cannot be told from two alerts" })
      .trim()
      .min(1, "data.essentials.alertId is empty")
      .max(1_024, "data.essentials.alertId is longer than 1,024 characters"),
    monitorCondition: z
      .string({ error: "data.essentials.monitorCondition must be `Fired` or `Resolved`" })
      .transform((text) => text.trim().toLowerCase())
      .pipe(z.enum(["fired", "resolved"], { error: "data.essentials.monitorCondition must be `Fired` or `Resolved`" })),
    alertRule: z.string().catch(""),
    severity: z
      .string()
      .regex(/^\s*sev[0-4]\s*$/i)
      .transform((text) => `Sev${text.trim().at(-1)}`)
      .catch("unknown"),
    alertTargetIDs: z.array(z.unknown()).catch([]),
    firedDateTime: z.string().nullable().catch(null),
  },
  { error: "data.essentials must be an object" },
);

const alertSchema = z.object(
  {
    schemaId: z.literal(schemaId, { error: `schemaId must be \`${schemaId}\`: switch the common alert schema on in the action group` }),
    data: z.object(
      { essentials: essentialsSchema, alertContext: z.object({ properties: z.unknown().optional() }).nullish().catch(null), customProperties: z.unknown().optional() },
      { error: "data must be an object with the alert's essentials" },
    ),
  },
  { error: "the body must be a JSON object in the common alert schema" },
);

/** Reads one request body. Never throws, whatever the body is. */
export function readAlert(body: unknown, plans: readonly Plan[]): AlertReading {
  const read = alertSchema.safeParse(body);
  if (!read.success) return { kind: "unreadable", problems: [...new Set(read.error.issues.map(({ message }) => message))] };
  const { essentials, alertContext, customProperties } = read.data.data;
  const { alertId, monitorCondition: condition, alertRule, severity, alertTargetIDs, firedDateTime } = essentials;
  const targets = alertTargetIDs.filter((target): target is string => typeof target === "string" && target !== "").slice(0, targetsMax);
  if (isTest(customProperties) || isTest(alertContext?.properties)) return { kind: "foreign", why: "is a test notification (IsSynthetic)" };

  const claim = planOf(plans, property(customProperties, planProperty) ?? property(alertContext?.properties, planProperty), targets);
  if (claim.kind === "foreign") return claim;
  const { plan, alsoPlans, because } = claim;
  return { kind: "ours", plan, alsoPlans, alertId, condition, rule: oneLine(alertRule) || "(unnamed rule)", severity, firedAt: instant(firedDateTime), targets, because };
}

/** The property decides alone where it is given: a rule that names an unknown plan must not start another one. */
function planOf(plans: readonly Plan[], named: string | null, targets: readonly string[]): ForeignAlert | Pick<OurAlert, "plan" | "alsoPlans" | "because"> & { readonly kind: "claimed" } {
  if (named !== null) {
    const plan = plans.find((p) => p.plan === named.toLowerCase());
    if (!plan) return { kind: "foreign", why: `names plan \`${oneLine(named)}\` in ${planProperty}, and there is no such plan here` };
    return { kind: "claimed", plan, alsoPlans: [], because: `its custom property ${planProperty} names the plan` };
  }
  const hits = plans.flatMap((plan) => {
    const hit = targets.find((target) => watchedBy(plan).includes(normalId(target)));
    return hit === undefined ? [] : [{ plan, hit }];
  });
  const [first, ...others] = hits;
  if (!first) return { kind: "foreign", why: targets.length === 0 ? `names neither a plan (custom property ${planProperty}) nor a target` : "none of its targets belongs to a plan" };
  return { kind: "claimed", plan: first.plan, alsoPlans: others.map(({ plan }) => plan), because: `its target ${oneLine(first.hit)} belongs to the plan` };
}

/** The secondary's cluster is not among them: trouble there is no reason to go there. */
function watchedBy({ primary, traffic, alerts }: Plan): readonly string[] {
  const way = traffic.kind === "traffic-manager" ? traffic.profile : traffic.recordSet;
  return [primary.cluster, way, ...alerts.targets].map(normalId);
}

/** Resource ids compare without case; Azure lower-cases them in alerts, and samples differ in the last slash. */
const normalId = (id: string) => id.trim().toLowerCase().replace(/\/+$/, "");

/** A property of the bag by name, without regard to case; `null` when it is not there or says nothing. */
function property(bag: unknown, name: string): string | null {
  if (typeof bag !== "object" || bag === null) return null;
  const entry = Object.entries(bag).find(([key]) => key.trim().toLowerCase() === name);
  return typeof entry?.[1] === "string" && entry[1].trim() !== "" ? entry[1].trim() : null;
}

function isTest(bag: unknown): boolean {
  return property(bag, "issynthetic")?.toLowerCase() === "true";
}

function instant(text: string | null): number | null {
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** Text of strangers on one line and short: it ends in logs, answers and reports. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim().slice(0, 300);
}
