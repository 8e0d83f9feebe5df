/**
 * The faults that a failover must live with, each with the tier that plays it. Those of the simulator are scenarios, for a moment and for
 * good; the others name the test that plays them over HTTP (`lab`), with real programs (`real`), or by itself (`test`).
 */
import { base } from "./explore.ts";
import type { CallFault } from "./network.ts";
import type { Deed, Scenario, Trouble } from "./scenario.ts";

export type Fault =
  | { readonly id: string; readonly fault: string; readonly tier: "simulator"; readonly transient: Scenario | null; readonly permanent: Scenario | null }
  | { readonly id: string; readonly fault: string; readonly tier: "lab" | "real" | "test"; readonly check: string }
  /** Nothing can play it: why it cannot harm, and the check that says so. */
  | { readonly id: string; readonly fault: string; readonly tier: "argument"; readonly why: string; readonly check: string }
  /** Neither played nor argued away. */
  | { readonly id: string; readonly fault: string; readonly tier: "open"; readonly why: string };

type More = Omit<Partial<Scenario>, "plan"> & { readonly plan?: Partial<Scenario["plan"]> };
const laid = (more: More): Scenario => ({ ...base, ...more, plan: { ...base.plan, ...more.plan } });
const played = (id: string, fault: string, transient: More | null, permanent: More | null): Fault => ({ id, fault, tier: "simulator", transient: transient && laid(transient), permanent: permanent && laid(permanent) });
const by = (tier: "lab" | "real" | "test") => (id: string, fault: string, check: string): Fault => ({ id, fault, tier, check });
const [inLab, onReal, inTest] = [by("lab"), by("real"), by("test")];
const argued = (id: string, fault: string, why: string, check: string): Fault => ({ id, fault, tier: "argument", why, check });
const open = (id: string, fault: string, why: string): Fault => ({ id, fault, tier: "open", why });

const alert = (at: number, alertId = "alert-1"): Deed => ({ kind: "alert", at, alertId });
const says = (who: string, verdict: "approve" | "deny", afterMs = 30_000, times = 1, about: "decision" | "fence" = "decision"): Deed => ({ kind: "decide", about, afterMs, who, verdict, times });
const call = (port: string, op: string, fault: CallFault, nth: number, times: number): Trouble => ({ kind: "call", port, op, nth, times, fault });
const lostAnswer: CallFault = { kind: "lost-answer" };
const refused: CallFault = { kind: "refused" };
const throttled: CallFault = { kind: "throttled", retryAfterSeconds: 5 };
const late: CallFault = { kind: "late-effect", delayMs: 40_000 };
/** More calls than a run makes. */
const always = 1_000_000;
const back = (forMs: number): More => ({ loss: { kind: "region", at: 60_000, reach: "reset", forMs } });
const minute = 60_000;

export const faults: readonly Fault[] = [
  played("F1", "the same alert, ten times", { deeds: Array.from({ length: 10 }, (_, nth) => alert(90_000 + nth * 200)) }, null),
  inLab("F2", "a storm of alerts", "test/lab/storm.test.ts"),
  played("F3", "an alert two hours late; of an outage that is over", { deeds: [alert(120 * minute)] }, { ...back(30_000), deeds: [alert(120 * minute)] }),
  played("F4", "resolved before it fired", { deeds: [{ kind: "resolved", at: 80_000, alertId: "alert-1" }, alert(95_000)] }, null),
  inTest("F5", "alerts that are malformed, too large, too deep", "test/fuzz/fuzz.test.ts"),
  inTest("F6", "unknown schema, unknown plan", "test/doors/alerts.test.ts"),
  played("F7", "a crash after an alert was kept, before its 2xx", { troubles: [{ kind: "crash", moment: "call-answered", nth: 4, downMs: 10_000 }] }, null),
  played("F8", "a crash before an alert was kept", { troubles: [{ kind: "crash", moment: "call-sent", nth: 1, downMs: 10_000 }] }, null),
  open("F9", "one outage, two hundred plans", "plans are run side by side; there is no order of priority among them"),
  played("F10", "two clicks, two doors, one outage", { deeds: [alert(90_000), { kind: "start", at: 90_050, who: "Ada Operator" }, { kind: "start", at: 90_400, who: "Ada Operator" }] }, null),
  inTest("F11", "alerts of the past and of the far future", "test/doors/alerts.test.ts"),
  played("F12", "intake's own storage is throttled", { troubles: [call("home", "*", throttled, 0, 6)] }, { troubles: [call("home", "*", throttled, 0, 60)] }),
  inTest("F13", "probes that hang, are reset, meet a wrong certificate, or no name", "test/adapters/probes.test.ts"),
  played("F14", "a primary that was away for seconds", back(20_000), null),
  played("F15", "it is we who are cut off", { loss: { kind: "cut-off", at: 60_000, forMs: 120_000 } }, { loss: { kind: "cut-off", at: 60_000, forMs: 900_000 } }),
  inTest("F16", "the front page answers and the shop does not", "test/domain/health.test.ts"),
  played("F17", "witnesses that lie", { loss: { kind: "liars", at: 60_000, liars: ["public-probe"] } }, { loss: { kind: "liars", at: 60_000, liars: ["public-probe", "backend-probe", "traffic-manager", "kubernetes-api"] } }),
  played("F18", "the primary comes back while it is decided, or while it is restored", back(75_000), back(150_000)),
  played("F19", "Resource Health says otherwise than the probes", { loss: { kind: "liars", at: 60_000, liars: ["resource-health"] } }, null),
  played("F20", "an approval that never comes", null, { plan: { approval: "one" } }),
  played("F21", "an approval that is late, twice, or after a no", { plan: { approval: "two" }, deeds: [alert(90_000), says("Ada Operator", "approve", 5_000, 2), says("Grace Approver", "approve", 9_000, 2)] }, { plan: { approval: "one" }, deeds: [alert(90_000), says("Ada Operator", "deny", 5_000), says("Grace Approver", "approve", 9_000)] }),
  played("F22", "abort and approval in the same instant", { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve", 30_000), { kind: "abort", when: "decide", afterMs: 30_200, who: "Ada Operator" }] }, null),
  played("F23", "the target is sick too", null, { troubles: [{ kind: "capacity", nodes: 0 }] }),
  played("F24", "readiness of yesterday", { troubles: [{ kind: "capacity", nodes: 1 }] }, null),
  played("F25", "the primary's API hangs", { loss: { kind: "region", at: 60_000, reach: "black-hole", forMs: null } }, null),
  played("F26", "the fence times out, done or not", { troubles: [call("arm", "close primary", lostAnswer, 0, 1)] }, { troubles: [call("arm", "close primary", refused, 0, always)] }),
  played("F27", "the primary comes back in mid-run with its old pods", { ...back(180_000) }, null),
  inTest("F28", "GitOps and autoscalers undo the fence", "test/activities/fence-primary.test.ts"),
  inTest("F29", "what was chosen expires at its source", "test/activities/own-backups.test.ts"),
  open("F30", "the last backup of a planned move hangs", "planned moves are not built"),
  open("F31", "writers drain slowly", "planned moves are not built"),
  inTest("F32", "the permission to fence is missing", "test/adapters/refusals.test.ts"),
  played("F33", "the newest backup has not arrived", { shelf: "not arrived" }, { shelf: "nothing whole" }),
  played("F34", "the files are there, the data is not", { shelf: "data missing" }, { shelf: "nothing whole" }),
  played("F35", "an archive that was cut off", { shelf: "cut archive" }, null),
  inTest("F36", "lists in pages, in another order", "test/restore-points/walk-lists.test.ts"),
  played("F37", "backups that failed in part, or are not finished", { shelf: "partially failed" }, { shelf: "unfinished" }),
  played("F38", "a point that is about to expire", { shelf: "about to expire" }, null),
  argued("F39", "an account failover that is under way or fails", "no path of the app asks for one: shared storage is read at its secondary endpoint", "test/orchestrations/failover.test.ts"),
  inTest("F40", "403 from storage", "test/adapters/errors.test.ts"),
  played("F41", "storage that is busy, breaks off, crawls", { troubles: [call("blobs", "*", throttled, 1, 3), call("blobs", "*", { kind: "slow", delayMs: 20_000 }, 6, 1)] }, { troubles: [call("blobs", "*", refused, 0, always)] }),
  open("F42", "a key in a vault of the primary", "not looked for"),
  onReal("F43", "a repository that cannot be opened in the secondary", "test/real/failover.test.ts"),
  inTest("F44", "a hostile archive", "test/restore-points/tarball.test.ts"),
  inTest("F45", "backups of the future", "test/domain/restore-point.test.ts"),
  played("F46", "the secondary's cluster does not know the backup, or half of it", { shelf: "half in view" }, { shelf: "not in view" }),
  inTest("F47", "replication has stood still for weeks", "test/activities/verification.test.ts"),
  played("F48", "an operation is under way already", { troubles: [call("arm", "start cluster", lostAnswer, 0, 1)] }, { troubles: [call("arm", "start cluster", refused, 0, always)] }),
  played("F49", "a cluster that never comes up", { troubles: [call("arm", "read cluster", throttled, 2, 4)] }, { troubles: [call("arm", "read cluster", refused, 0, always)] }),
  played("F50", "no capacity", { troubles: [{ kind: "capacity", nodes: 1 }] }, { troubles: [{ kind: "capacity", nodes: 0 }] }),
  inTest("F51", "no room in a quota", "test/activities/verification.test.ts"),
  inTest("F52", "a cluster or a pool that is Failed", "test/activities/target.test.ts"),
  inTest("F53", "nodes that are not Ready, or too few", "test/activities/target.test.ts"),
  played("F54", "the API server is busy", { troubles: [call("kubernetes", "*", throttled, 5, 6)] }, { troubles: [call("kubernetes", "*", throttled, 0, always)] }),
  open("F55", "an admission webhook blocks the restore", "not asked beforehand; the restore then ends in errors and the run stands down"),
  inTest("F56", "kinds, classes, versions that the secondary lacks", "test/domain/custom-kinds.test.ts"),
  inTest("F57", "a registry in the primary", "test/activities/verification.test.ts"),
  open("F58", "no addresses, no way out of the subnet", "no pod is started beforehand"),
  open("F59", "workload identity is missing in the secondary", "no pod is started beforehand"),
  inTest("F60", "Velero or its node agents are missing", "test/activities/make-ready.test.ts"),
  open("F61", "a drill takes the room", "drills are not built"),
  open("F62", "certificates that expire", "not looked for"),
  played("F63", "a restore is created and its answer lost", { troubles: [call("kubernetes", "create", lostAnswer, 0, 3)] }, { troubles: [call("kubernetes", "create", late, 0, 2)] }),
  played("F64", "a restore that never begins", null, { troubles: [{ kind: "restore", nth: 1, trouble: "stuck-new" }] }),
  played("F65", "a mover that fails", null, { troubles: [{ kind: "restore", nth: 1, trouble: "mover-fails" }] }),
  played("F66", "Velero's server restarts in the middle", { troubles: [{ kind: "restore", nth: 1, trouble: "server-restarts" }] }, null),
  played("F67", "a restore that fails in part", null, { troubles: [{ kind: "restore", nth: 1, trouble: "partially-failed" }] }),
  played("F68", "Completed, and the volume is blank", null, { troubles: [{ kind: "restore", nth: 1, trouble: "volume-left-out" }] }),
  inTest("F69", "FailedValidation", "test/kubernetes/restore-replay.test.ts"),
  inTest("F70", "a claim that is never bound", "test/kubernetes/controllers.test.ts"),
  inLab("F71", "pods that do not come up", "test/lab/volume-traps.deep.test.ts"),
  inTest("F72", "a namespace that does not end", "test/activities/make-ready.test.ts"),
  played("F73", "consumers that work before the switch", {}, null),
  open("F74", "restored controllers act on the world", "they are restored like anything else"),
  inTest("F75", "ConfigMaps that point back to the primary", "test/domain/secondary-fit.test.ts"),
  argued("F76", "addresses and ports that change", "nothing is asked by them: assertions go through the secondary's ingress", "test/activities/verify.test.ts"),
  inTest("F77", "a restore that takes too long", "test/orchestrations/desk.test.ts"),
  played("F78", "the secondary's cluster dies while it is restored into", { troubles: [call("kubernetes", "*", refused, 60, 20)] }, { troubles: [call("kubernetes", "*", refused, 60, always)] }),
  inTest("F79", "a page of somebody else's", "test/activities/own-backups.test.ts"),
  played("F80", "verified, and fallen over", { troubles: [{ kind: "falls", afterMs: 0 }] }, { troubles: [{ kind: "falls", afterMs: 700 }] }),
  inTest("F81", "evidence of another run, plan or time", "test/domain/gate.test.ts"),
  argued("F82", "probes that write", "a probe is a GET without a body", "test/adapters/probes.test.ts"),
  played("F83", "who verifies dies", { troubles: [{ kind: "strike", step: "verify-applications", mode: 1, call: 0, downMs: 20_000 }] }, null),
  played("F84", "the switch fails before or after its effect", { troubles: [call("arm", "open secondary", lostAnswer, 0, 1)] }, { troubles: [call("arm", "open secondary", throttled, 0, 20)] }),
  played("F85", "the switch is half done", { troubles: [{ kind: "strike", step: "open-secondary", mode: 6, call: 0, downMs: 60_000 }] }, null),
  played("F86", "a late write of an old host", { troubles: [call("arm", "open secondary", late, 0, 1)] }, { troubles: [{ kind: "pause", at: 150_000, host: 0, forMs: 120 * minute }] }),
  played("F87", "the secondary fails right after the switch", { troubles: [{ kind: "falls", afterMs: 1_500 }] }, null),
  argued("F88", "all endpoints degraded", "the primary's endpoint is disabled: Traffic Manager has one to answer with", "test/faces/traffic.test.ts"),
  inLab("F89", "clients that stay at the primary", "test/lab-honest/fence.deep.test.ts"),
  argued("F90", "a probe sends users back", "the primary's endpoint is disabled, and only stand-down opens it again; the checker of S1 looks at each event", "test/simulator/simulate.test.ts"),
  inTest("F91", "the secondary's certificate is wrong", "test/adapters/probes.test.ts"),
  open("F92", "cold caches", "there is no ramp"),
  open("F93", "the profile is edited by hand", "it is read before and after each act of a run, not between runs"),
  inTest("F94", "two plans, one profile", "test/cli/plan.test.ts"),
  argued("F95", "the secondary is slow after the point of no return", "behind the point there is only forward, and a person", "test/orchestrations/every-step.test.ts"),
  argued("F96", "notices cannot be delivered", "none are sent; the report is written by a step that is tried again, from the ledger alone", "test/activities/report.test.ts"),
  played("F97", "the primary comes back with writes that nobody saw", back(600_000), null),
  argued("F98", "failback without protection", "nothing fails back: once users were moved the ledger opens no other run for the plan, whoever asks", "test/domain/ledger.test.ts"),
  inTest("F99", "backups do not run in the new region", "test/activities/own-backups.test.ts"),
  argued("F100", "cleaning up in the wrong cluster", "cleaning up deletes nothing, and changes back only what carries the undo of a run of this plan: in another cluster there is none", "test/activities/fence-primary.test.ts"),
  played("F101", "a host dies anywhere", { troubles: [{ kind: "strike", step: "start-restore shop-main", mode: 6, call: 0, downMs: 20_000 }] }, null),
  played("F102", "two hosts, one thing", { troubles: Array.from({ length: 6 }, (_, nth): Trouble => ({ kind: "again", nth: 10 + nth * 9, afterMs: nth % 2 === 0 ? 0 : 5 * minute })) }, null),
  played("F103", "a host that stands still for hours", { troubles: [{ kind: "pause", at: 120_000, host: 0, forMs: 20 * minute }] }, { troubles: [{ kind: "pause", at: 120_000, host: 0, forMs: 180 * minute }, { kind: "pause", at: 121_000, host: 1, forMs: 30 * minute }] }),
  played("F104", "bells that are lost or ring twice", { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve")], troubles: [call("hub", "raiseEvent", refused, 0, 1)] }, { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve")], troubles: [call("hub", "raiseEvent", refused, 0, always)] }),
  inTest("F105", "another version of the app in mid-run", "test/golden/hand-over.test.ts"),
  inTest("F106", "the task hub goes away", "test/orchestrations/takeover.test.ts"),
  played("F107", "the ledger cannot be reached", { troubles: [call("home", "*", refused, 30, 40)] }, null),
  inTest("F108", "tokens that expire in mid-run", "test/adapters/cluster.test.ts"),
  inTest("F109", "clocks that jump", "test/durable/clock.test.ts"),
  open("F110", "no memory, no disk, no files", "not played"),
  argued("F111", "a message that kills its worker", "an activity answers whatever it is given, and is tried a bounded number of times", "test/activities/perform.test.ts"),
  inTest("F112", "settings that are missing or wrong", "test/domain/config.test.ts"),
  argued("F113", "telemetry is away", "the app's only telemetry is lines on standard output", "test/tidy.test.ts"),
  inTest("F114", "libraries that are upgraded under us", "test/golden/golden.test.ts"),
];
