/** The head of a ledger as it comes from storage: believed only when it is one. Pure; never throws, whatever the text is. */
import { z } from "zod";
import type { Head } from "./ledger.ts";
import { outcomeKinds, phases } from "./outcome.ts";

export type HeadReading = { readonly kind: "head"; readonly head: Head } | { readonly kind: "broken"; readonly why: string };

/** Far from where a date overflows, and far from now. */
const instant = z.number().int().min(0).max(8_640_000_000_000);
const count = z.number().int().min(0);
const about = z.enum(["decision", "fence", "loss"]);
const person = z.string();

const decision = z.looseObject({ about, question: z.string().nullable(), verdict: z.enum(["approve", "deny"]), personId: z.string().min(1), by: person, at: instant, reason: z.string() });
const question = z.looseObject({ id: z.string().min(1), about, askedAt: instant, expiresAt: instant, approvalsNeeded: count.max(100), silence: z.enum(["go", "decline"]), text: z.string() });

const run = z.looseObject({
  id: z.string().min(1),
  kind: z.enum(["failover", "recovery"]),
  door: z.enum(["alert", "http", "timer"]),
  by: person,
  byId: z.string().optional(),
  reason: z.string(),
  alertId: z.string().nullable(),
  applications: z.array(z.string()),
  epoch: count.min(1),
  openedAt: instant,
  planHash: z.string(),
  phases: z.array(z.looseObject({ phase: z.enum(phases), startedAt: instant, endedAt: instant.nullable(), outcome: z.string().nullable() })).max(phases.length),
  question: question.nullable(),
  decisions: z.array(decision).max(1_000),
  abort: z.looseObject({ by: person, at: instant, reason: z.string() }).nullable(),
  pointsOfNoReturn: z.looseObject({ data: instant.nullable(), traffic: instant.nullable() }),
  takenOver: z.looseObject({ runId: z.string(), epoch: count, at: instant, fenced: z.boolean() }).optional(),
});

const head = z.looseObject({
  format: z.literal(1),
  plan: z.string().min(1),
  epoch: count,
  active: z.enum(["primary", "secondary"]),
  run: run.nullable(),
  last: z.looseObject({ runId: z.string(), outcome: z.enum(outcomeKinds), endedAt: instant }).nullable(),
  alerts: z.array(z.looseObject({ alertId: z.string(), runId: z.string() })).max(1_000),
  pendingAlerts: z.array(z.looseObject({ alertId: z.string(), rule: z.string(), reason: z.string(), at: instant })).max(1_000),
  intake: z.looseObject({ accepted: count, started: count, merged: count, suppressed: count, rejected: count }),
  cooldownUntilAt: instant.nullable(),
  promotedBy: z.string().nullable(),
  unprotectedSinceAt: instant.nullable(),
  digest: z.string().regex(/^[0-9a-f]+$/),
});

/** Reads the head of this plan. Broken: not JSON, not a head, another plan's, or one that contradicts itself. */
export function readHead(text: string, plan: string): HeadReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const read = head.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return broken(`${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "it is not a head"}`);
  }
  const contradiction = contradictionIn(read.data, plan);
  // By the schema above; its own copy would have other types for what is optional.
  return contradiction === null ? { kind: "head", head: value as Head } : broken(contradiction);
}

const broken = (why: string): HeadReading => ({ kind: "broken", why });

/** What no change of ours ever writes. */
function contradictionIn({ plan: named, epoch, run: open, intake: { accepted, started, merged, suppressed, rejected } }: z.output<typeof head>, plan: string): string | null {
  if (named !== plan) return `it is the head of ${named}`;
  if (accepted !== started + merged + suppressed + rejected) return `intake: ${accepted} were accepted and ${started + merged + suppressed + rejected} are accounted for`;
  if (open === null) return null;
  if (open.epoch !== epoch) return `run.epoch is ${open.epoch} in epoch ${epoch}`;
  if (open.id !== `${plan}-${epoch}`) return `run.id is ${open.id} in epoch ${epoch}`;
  if (open.abort !== null && open.pointsOfNoReturn.traffic !== null) return "run: an abort was taken and the traffic point of no return was passed";
  return null;
}
