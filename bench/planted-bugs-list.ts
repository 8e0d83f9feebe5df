/** The mistakes that are planted: each a text of the app's sources and what somebody might have written instead. */
import type { Patch } from "../lab/simulator/load.ts";

export interface PlantedBug {
  readonly bug: string;
  readonly patches: readonly Patch[];
}

const bug = (name: string, file: string, find: string, put: string): PlantedBug => ({ bug: name, patches: [{ file, find, put }] });

const perform = "functions/activities/perform.ts";
const opening = "functions/activities/open-secondary.ts";
const fence = "functions/activities/fence-primary.ts";
const ledger = "shared/domain/ledger.ts";
const health = "shared/domain/health.ts";
const failover = "orchestrations/failover.ts";
const standDown = "orchestrations/stand-down.ts";
const desk = "orchestrations/runbook.ts";
const agent = "agent/lease-agent.ts";
const restoring = "shared/domain/restore-run.ts";

export const plantedBugs: readonly PlantedBug[] = [
  // gates
  bug("gate-not-read-again", opening, ", async () => mustBeVerified(duty)", ""),
  bug("opens-without-the-point", opening, '  const passed = await pass("traffic", duty, async () => mustBeVerified(duty));\n  if (passed.kind === "abort-asked") return passed;\n', ""),
  bug("point-passes-over-abort", ledger, '  if (run.abort !== null) return refused("past-no-return");\n', ""),
  bug("abort-taken-after-the-point", ledger, '  if (run.pointsOfNoReturn.traffic !== null) return refused("past-no-return");\n', ""),
  bug("data-point-not-passed", "functions/activities/promote.ts", "export const passDataPoint: Work<typeof steps.passDataPoint> = (_, duty) => pass(\"data\", duty);", 'export const passDataPoint: Work<typeof steps.passDataPoint> = () => Promise.resolve({ kind: "passed" } as const);'),

  bug("plan-decides-any-loss", "shared/domain/asked.ts", "lossSeconds > objectives.rpoSeconds;", "lossSeconds > 100 * objectives.rpoSeconds;"),

  // what every act does
  bug("intent-not-written", perform, '      if (at !== null && step.records === "act") await ledger.write(at, entry("intent", call, startedAt, world.clock.now(), call.input));\n', ""),

  // fence
  bug("primary-not-closed", fence, "    await world.traffic.closePrimary(plan.traffic);\n", ""),
  {
    bug: "fence-is-always-enough",
    patches: [
      { file: failover, find: "    if (!isEnough(found, plan.fence)) {", put: "    if (found.about === \"\") {" },
      { file: "shared/domain/gate.ts", find: "isEnough(found, plan.fence) || saidByPerson(forced)", put: "found.kind === \"level\" || found.about !== \"\" || isEnough(found, plan.fence) || saidByPerson(forced)" },
    ],
  },
  bug("not-reopened", fence, "    await world.traffic.reopenPrimary(plan.traffic);\n    if (!(await world.traffic.read(plan.traffic)).primary.open) throw new Error(\"the primary's endpoint reads back as closed\");\n", ""),
  bug("late-closing-forgotten", fence, '  if (leftMs > 0) throw new WorldError("reopen', '  if (leftMs < 0) throw new WorldError("reopen'),
  bug("not-woken", standDown, "  const woken = yield* tried(desk.run(steps.wakePrimary, { quieted }));", '  const woken = { kind: "done", value: { left: [] as string[] } } as { kind: "done"; value: { left: string[] } } | { kind: "failed"; because: string };\n  if (quieted?.kind === "partly" && ended === "") yield* tried(desk.run(steps.wakePrimary, { quieted }));'),

  // endings
  bug("abort-undoes-nothing", failover, 'return yield* standDown(desk, fenced, { kind: "aborted", by: error.by, left: [] });', 'return { kind: "aborted", by: error.by, left: [] };'),
  bug("stands-down-past-data-point", standDown, "  if (passed.data) {", '  if (passed.data && why.step === "") {'),
  bug("stands-down-past-traffic-point", standDown, "  if (passed.traffic) return", '  if (passed.traffic && why.step === "") return'),
  bug("run-not-closed", "orchestrations/reported.ts", "    yield* desk.run(steps.closeRun, { outcome });\n    return outcome;\n  });\n}", "    return outcome;\n  });\n}"),

  // the agent in the primary
  bug("agent-never-gives-up", agent, "    return this.#leftMs() <= 0;\n", "    return this.#leftMs() < -86_400_000;\n"),
  bug("agent-opens-behind-users", "shared/domain/agent-duty.ts", '  if (active === "secondary") return "users are served in the other region";\n', ""),
  bug("agent-never-opens", agent, "    if (this.#plan === null || !this.#mayBeClosed) return;\n", "    if (this.#plan === null || this.#mayBeClosed) return;\n"),

  // confirm and decide
  bug("one-witness-is-enough", health, "down.length >= confirmation.agree", "down.length >= 1"),
  bug("controls-not-asked", "functions/activities/confirm-loss.ts", 'answers.some(({ kind }) => kind === "answered") ? "answer" : "silent"', 'answers.length > 0 ? "answer" : "silent"'),
  bug("not-looked-again", failover, '      if (again.value.kind === "not-lost") return { kind: "not-failed-over", why: again.value.why };\n', ""),
  bug("one-approval-is-enough", ledger, "answers.length >= Math.max(question.approvalsNeeded, 1)", "answers.length >= 1"),
  bug("a-no-counts-as-yes", ledger, "  if (denied) return", '  if (denied && denied.reason === "") return'),
  bug("no-room-goes-on", failover, '    if (warm.value.kind === "unable") return yield* early(desk, fenced, { kind: "target-not-ready", reasons: warm.value.reasons });\n', ""),

  // ledger
  bug("second-run-over-an-open-one", ledger, '  if (head.run !== null) return refused("run-open");\n', ""),
  bug("alert-opens-a-second-run", ledger, ' return refused("alert-handled");\n', " void 0;\n"),
  bug("moves-what-has-moved", ledger, '  if (head.active === "secondary") return refused("already-moved");\n', ""),
  bug("head-written-unconditionally", "functions/ledger.ts", "(await home.replace(headName(plan), body, stored.etag)) !== null", "(await home.put(headName(plan), body)) === undefined"),

  // restore
  bug("restore-named-by-chance", restoring, "  const whole = `lifeboat-${runId}-${application}", "  const whole = `lifeboat-${runId}-${Math.floor(Math.random() * 1_000)}-${application}"),
  bug("asks-otherwise-when-it-asks-again", "functions/activities/restore.ts", "cluster.create(kinds.restores, restoreObject(order));", 'cluster.create(kinds.restores, { ...restoreObject(order), asked: world.clock.now() } as never);'),
  {
    bug: "completed-is-believed",
    patches: [
      { file: restoring, find: "  if (movers.length < expected) return", put: "  if (movers.length < -expected) return" },
      { file: "functions/activities/verify.ts", find: "  if (mover === undefined) return", put: '  if (mover === undefined) return { check, ok: true, saw: "Velero says Completed" };\n  if (mover === undefined) return' },
    ],
  },
  {
    bug: "merely-the-newest",
    patches: [
      { file: "shared/domain/restore-point-choice.ts", find: '  if (point.usable.kind === "unusable") return point.usable.reason;\n', put: "" },
      { file: "shared/domain/restore-point-choice.ts", find: "  if (atLeast(point.reached, provenFrom)) return null;\n", put: '  if (atLeast(point.reached, provenFrom) || point.name !== "") return null;\n' },
    ],
  },
  bug("consumers-come-in-awake", "shared/domain/restore-object.ts", '...(part === "consumers" && order.consumers.length > 0 ? heldBack(order) : {})', ""),
  bug("view-not-put-right", "orchestrations/make-ready.ts", "  yield* desk.run(steps.alignView, { point });\n", ""),
  bug("loss-made-smaller", "functions/activities/choose.ts", "Math.ceil((darkSinceAt - point.takenAt) / 1_000)", "Math.ceil((darkSinceAt - point.takenAt) / 2_000)"),
  bug("backup-named-by-the-clock", "functions/activities/own-backups.ts", "  const backup = `lifeboat-${call.ref.runId}-first`;", "  const backup = `lifeboat-${call.ref.runId}-first-${world.clock.now()}`;"),

  // the desk
  bug("chance-in-a-runbook", desk, "(0.5 + 0.5 * (fingerprint(`${seed}/${attempt}`) / 2 ** 32))", "(0.5 + 0.5 * Math.random())"),
  bug("tries-once", desk, 'answer.kind === "superseded" || attempt >= step.attempts', 'answer.kind === "superseded" || attempt >= 1'),
];
