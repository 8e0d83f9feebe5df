import { z } from "zod";
import { spoken } from "../shared/domain/decision.ts";
import { instantText } from "../shared/domain/instant.ts";
import { type AppOptions, askApp } from "./app-asked.ts";
import { jsonLine, painted, type Terminal } from "./terminal.ts";

/** Milliseconds that a date can be made of. */
const instant = z.number().min(-8.64e15).max(8.64e15);
const finding = z.looseObject({ kind: z.string(), point: z.string().nullable(), fact: z.string(), remedy: z.string() });
const point = z.looseObject({ name: z.string(), proven: z.union([z.boolean(), z.literal("unknown")]), reason: z.string().nullable(), reached: z.string().nullable(), takenAt: instant.nullable(), livesUntilAt: instant.nullable(), checkedAt: instant });
const onePoint = point.extend({ findings: z.array(finding), evidence: z.array(z.looseObject({ level: z.string(), ok: z.union([z.boolean(), z.literal("unknown")]), about: z.string() })), history: z.array(z.looseObject({ at: instant, usable: z.string(), reached: z.string().nullable() })) });
const allPoints = z.looseObject({
  plan: z.string(),
  objective: z.looseObject({ rpoSeconds: z.number(), state: z.enum(["kept", "broken", "unknown"]) }),
  newestProven: z.looseObject({ name: z.string(), takenAt: instant, ageSeconds: z.number(), reached: z.string().nullable() }).nullable(),
  lookedAt: instant.nullable(),
  findings: z.array(finding),
  points: z.array(point),
});
type Point = z.output<typeof point>;

/** Shows a plan's restore points, or one of them with its evidence, as the app tells of them. 0: the objective is kept (the point is proven); 1: it is not, or nobody knows; 2: there was no answer. */
export async function showRestorePoints(plan: string, name: string | undefined, options: AppOptions & { readonly json: boolean }, terminal: Terminal): Promise<0 | 1 | 2> {
  const answer = await askApp(`plans/${encodeURIComponent(plan)}/restore-points${name === undefined ? "" : `/${encodeURIComponent(name)}`}`, options, terminal);
  if (answer.kind === "not") {
    terminal.err(shown(answer.why));
    return 2;
  }
  const view = name === undefined ? viewed(allPoints, answer.value, (told) => ({ good: told.objective.state === "kept", lines: listed(told, options.json, terminal) })) : viewed(onePoint, answer.value, (told) => ({ good: told.proven === true, lines: detailed(told, options.json, terminal) }));
  if (view.kind === "not") {
    terminal.err(`the app's answer is not one that this lifeboat knows: ${shown(view.why)}`);
    return 2;
  }
  for (const line of view.lines) terminal.out(line);
  return view.good ? 0 : 1;
}

interface View {
  readonly lines: readonly string[];
  /** Whether what was asked for holds. */
  readonly good: boolean;
}

function viewed<T>(schema: z.ZodType<T>, value: unknown, view: (told: T) => View): ({ readonly kind: "view" } & View) | { readonly kind: "not"; readonly why: string } {
  const read = schema.safeParse(value);
  return read.success ? { kind: "view", ...view(read.data) } : { kind: "not", why: read.error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ") };
}

function listed({ plan, objective, newestProven, lookedAt, findings, points }: z.output<typeof allPoints>, json: boolean, terminal: Terminal): readonly string[] {
  if (json) return [jsonLine("standing", { plan, objective, newestProven, lookedAt }), ...points.map((each) => jsonLine("point", each)), ...findings.map((each) => jsonLine("finding", each))];
  const newest = newestProven === null ? "no restore point is proven" : `the newest that is proven is ${newestProven.name} (${newestProven.reached ?? "nothing"}), taken ${instantText(newestProven.takenAt)}, ${spoken(newestProven.ageSeconds)} ago`;
  return [
    `${shown(plan)}: objective ${painted(terminal, objective.state === "kept" ? "green" : "red", objective.state)}: ${shown(newest)}; the plan allows ${spoken(objective.rpoSeconds)}`,
    ...points.map((each) => pointLine(each, terminal)),
    ...findings.flatMap((each) => findingLines(each, terminal)),
    painted(terminal, "dim", lookedAt === null ? "the backups could not be looked at, or nobody has yet" : `all were looked at last at ${instantText(lookedAt)}`),
  ];
}

function detailed(told: z.output<typeof onePoint>, json: boolean, terminal: Terminal): readonly string[] {
  if (json) return [jsonLine("point", told)];
  return [
    pointLine(told, terminal),
    ...told.evidence.map(({ level, ok, about }) => `  ${word(ok, ["yes", "no"], terminal)} ${shown(`${level}: ${about}`)}`),
    ...told.findings.flatMap((each) => findingLines(each, terminal)),
    ...told.history.map(({ at, usable, reached }) => `  since ${instantText(at)}: ${shown(`${reached ?? "nothing"}, ${usable}`)}`),
  ];
}

function pointLine({ name, proven, reason, reached, takenAt, livesUntilAt, checkedAt }: Point, terminal: Terminal): string {
  const times = [takenAt === null ? "it does not say when it was taken" : `taken ${instantText(takenAt)}`, ...(livesUntilAt === null ? [] : [`lives until ${instantText(livesUntilAt)}`]), `looked at ${instantText(checkedAt)}`];
  return `${word(proven, ["proven", "not"], terminal)} ${shown(`${name} (${reached ?? "nothing"}), ${times.join(", ")}${reason === null ? "" : `: ${reason}`}`)}`;
}

const findingLines = ({ kind, point: about, fact, remedy }: z.output<typeof finding>, terminal: Terminal): readonly string[] => [`${painted(terminal, "red", shown(kind))} ${shown(`${about ?? "the plan"}: ${fact}`)}`, `  ${shown(remedy)}`];

/** Only what holds is green. All words have one width, so that names stand below each other. */
const word = (ok: boolean | "unknown", [yes, no]: readonly [string, string], terminal: Terminal): string => painted(terminal, ok === true ? "green" : "red", (ok === true ? yes : ok === "unknown" ? "unknown" : no).padEnd(7));

/** Names and facts come from containers that others write to: nothing in them may steer a terminal. */
const shown = (text: string): string => text.replaceAll(/\p{C}/gu, "\u{FFFD}");
