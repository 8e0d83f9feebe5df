/**
 * The faults that a failover must live with, each in two strengths: for a moment, or a little; and for good, or worse. A strength is shown by a
 * scenario of the simulator or by a test, named by its title, and `npm run simulate -- --faults --write` plays all of them.
 */
import { alert, always, argued, back, call, check, type Fault, inLab, inTest, late, lostAnswer, minute, not, onReal, played, refused, says, struck, throttled } from "./fault.ts";
import type { Deed, Trouble } from "./scenario.ts";

const of = (file: string) => (title: string) => check(file, title);
const alerts = of("test/doors/alerts.test.ts");
const fuzz = of("test/fuzz/fuzz.test.ts");
const probes = of("test/adapters/probes.test.ts");
const health = of("test/domain/health.test.ts");
const fencing = of("test/activities/fence-primary.test.ts");
const gate = of("test/domain/gate.test.ts");
const verification = of("test/activities/verification.test.ts");
const refusals = of("test/adapters/refusals.test.ts");
const walk = of("test/restore-points/walk-lists.test.ts");
const failover = of("test/orchestrations/failover.test.ts");
const errors = of("test/adapters/errors.test.ts");
const ties = of("test/domain/secondary-ties.test.ts");
const ready = of("test/activities/make-ready.test.ts");
const traps = of("test/lab/volume-traps.deep.test.ts");
const tarball = of("test/restore-points/tarball.test.ts");
const point = of("test/domain/restore-point.test.ts");
const warming = of("test/activities/target.test.ts");
const kinds = of("test/domain/custom-kinds.test.ts");
const endings = of("test/lab/endings.test.ts");
const replay = of("test/kubernetes/restore-replay.test.ts");
const restores = of("test/kubernetes/restores.test.ts");
const controllers = of("test/kubernetes/controllers.test.ts");
const verify = of("test/activities/verify.test.ts");
const fit = of("test/domain/secondary-fit.test.ts");
const desk = of("test/orchestrations/desk.test.ts");
const own = of("test/activities/own-backups.test.ts");
const perform = of("test/activities/perform.test.ts");
const restoring = of("test/activities/restore.test.ts");
const traffic = of("test/faces/traffic.test.ts");
const ledger = of("test/domain/ledger.test.ts");
const handOver = of("test/golden/hand-over.test.ts");
const golden = of("test/golden/golden.test.ts");
const takeover = of("test/orchestrations/takeover.test.ts");
const settings = of("test/domain/config.test.ts");
const clock = of("test/durable/clock.test.ts");
const cluster = of("test/adapters/cluster.test.ts");
const told = of("test/restore-points/told.test.ts");
const steps = of("test/orchestrations/every-step.test.ts");
const tidy = of("test/tidy.test.ts");
const storm = of("test/lab/storm.test.ts");
const real = of("test/real/failover.test.ts");
const honest = of("test/lab-honest/fence.deep.test.ts");
const plans = of("test/cli/plan.test.ts");
const report = of("test/activities/report.test.ts");
const hub = of("test/durable/kill.test.ts");
const outage = of("test/doors/outage.test.ts");
const starved = of("test/lab-honest/starved.deep.test.ts");

export const faults: readonly Fault[] = [
  played("F1", "the same alert, ten times", { deeds: Array.from({ length: 10 }, (_, nth) => alert(90_000 + nth * 200)) }, { deeds: Array.from({ length: 60 }, (_, nth) => alert(90_000 + nth * minute)) }),
  inLab("F2", "a storm of alerts", storm("twenty copies of one alert, shuffled, mixed with resolved and foreign ones, all at once, open one run"), alerts("of three hundred rules at once, some twice and some resolved, opens one run and is accounted for in a few writes")),
  played("F3", "an alert two hours late; of an outage that is over", { deeds: [alert(120 * minute)] }, { ...back(30_000), deeds: [alert(120 * minute)] }),
  played("F4", "resolved before it fired", { deeds: [{ kind: "resolved", at: 80_000, alertId: "alert-1" }, alert(95_000)] }, { loss: { kind: "nothing", at: minute }, deeds: [{ kind: "resolved", at: 80_000, alertId: "alert-1" }] }),
  inTest("F5", "alerts that are malformed, too large, too deep", alerts("that is malformed is 400, with every reason"), fuzz("alerts")),
  inTest("F6", "unknown schema, unknown plan", alerts("that is foreign is 202, counted once for its content, and starts nothing"), alerts("works for the valid plans when another one is broken")),
  played("F7", "a crash after an alert was kept, before its 2xx", { troubles: [{ kind: "crash", moment: "call-answered", nth: 4, downMs: 10_000 }] }, { troubles: [{ kind: "crash", moment: "call-answered", nth: 4, downMs: 60 * minute }] }),
  played("F8", "a crash before an alert was kept", { troubles: [{ kind: "crash", moment: "call-sent", nth: 1, downMs: 10_000 }] }, { troubles: [{ kind: "crash", moment: "call-sent", nth: 1, downMs: 60 * minute }] }),
  inTest("F9", "one outage, two hundred plans", outage("an outage of two hundred plans opens a run for each, none lost and none twice, and works them off with no more activities at once than host.json allows"), desk("waits as long as the service asked for")),
  played("F10", "two clicks, two doors, one outage", { deeds: [alert(90_000), { kind: "start", at: 90_050, who: "Ada Operator" }, { kind: "start", at: 90_400, who: "Ada Operator" }] }, { deeds: [alert(90_000), ...Array.from({ length: 12 }, (_, nth): Deed => ({ kind: "start", at: 90_050 + nth * 5 * minute, who: "Ada Operator" }))] }),
  inTest("F11", "alerts of the past and of the far future", alerts("that says it fired at yesterday opens a run like any other: it counts from when it came"), alerts("that says it fired at 9999-12-31T23:59:59Z opens a run like any other: it counts from when it came")),
  played("F12", "intake's own storage is throttled", { troubles: [call("home", "*", throttled, 0, 6)] }, { troubles: [call("home", "*", throttled, 0, 60)] }),
  inTest("F13", "probes that hang, are reset, meet a wrong certificate, or no name", probes("silence ends with the time that was given"), probes("nobody there, no name, or the wrong certificate: no answer, and why")),
  played("F14", "a primary that was away for seconds", back(20_000), { ...back(35_000), deeds: Array.from({ length: 30 }, (_, nth) => alert(80_000 + nth * 20_000, `alert-${nth}`)) }),
  played("F15", "it is we who are cut off", { loss: { kind: "cut-off", at: 60_000, forMs: 120_000 } }, { loss: { kind: "cut-off", at: 60_000, forMs: 900_000 } }),
  inTest("F16", "the front page answers and the shop does not", health("nor calls half of what users see a blip"), health("when users are served all the while, whatever the others say")),
  played("F17", "witnesses that lie", { loss: { kind: "liars", at: 60_000, liars: ["public-probe"] } }, { loss: { kind: "liars", at: 60_000, liars: ["public-probe", "backend-probe", "traffic-manager", "kubernetes-api"] } }),
  played("F18", "the primary comes back while it is decided, or while it is restored", back(75_000), back(150_000)),
  played("F19", "Resource Health says otherwise than the probes", { loss: { kind: "liars", at: 60_000, liars: ["resource-health"] } }, { troubles: [call("arm", "read health", refused, 0, always)] }),
  played("F20", "an approval that never comes", { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve", 10 * minute)] }, { plan: { approval: "one" } }),
  played("F21", "an approval that is late, twice, or after a no", { plan: { approval: "two" }, deeds: [alert(90_000), says("Ada Operator", "approve", 5_000, 2), says("Grace Approver", "approve", 9_000, 2)] }, { plan: { approval: "one" }, deeds: [alert(90_000), says("Ada Operator", "deny", 5_000), says("Grace Approver", "approve", 9_000)] }),
  played("F22", "abort and approval in the same instant", { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve", 30_000), { kind: "abort", when: "decide", afterMs: 30_200, who: "Ada Operator" }] }, { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve", 30_000), { kind: "abort", when: "decide", afterMs: 29_900, who: "Ada Operator" }] }),
  played("F23", "the target is sick too", { troubles: [call("arm", "read cluster", refused, 0, 3)] }, { troubles: [{ kind: "capacity", nodes: 0 }] }),
  played("F24", "readiness of yesterday", { troubles: [{ kind: "capacity", nodes: 1 }] }, { troubles: [{ kind: "capacity", nodes: 0 }], stopped: false }),
  played("F25", "the primary's API hangs", { loss: { kind: "region", at: 60_000, reach: "black-hole", forMs: 180_000 } }, { loss: { kind: "region", at: 60_000, reach: "black-hole", forMs: null } }),
  played("F26", "the fence times out, done or not", { troubles: [call("arm", "close primary", lostAnswer, 0, 1)] }, { troubles: [call("arm", "close primary", refused, 0, always)] }),
  played("F27", "the primary comes back in mid-run with its old pods", { ...back(180_000) }, { ...back(210_000) }),
  inTest("F28", "GitOps and autoscalers undo the fence", fencing("stops GitOps first, then schedules, then workloads, and leaves alone what is not the plan's or stands still"), fencing("says what it could not stop, and still knows what it did")),
  inTest("F29", "what was chosen expires at its source", verification("lives longer where the plan says so: the expiration of its own Backup is moved once, and the register knows"), gate("stays shut without a point that was chosen, and before the data moves for one that has expired")),
  argued("F30", "the last backup of a planned move hangs", "planned moves are not built, and no run takes a last backup or waits for one: it restores the newest proven point, and a loss above the objective takes a person's yes to that very loss", failover("takes its steps in the order of the runbook, and says so in the ledger and the report"), gate("over a loss above the plan's objective > asks for a yes to that very loss: one to a smaller loss is none")),
  argued("F31", "writers drain slowly", "nothing is drained: what was written since the point is stated as the loss before anybody decides, and pods that still run behind the fence are waited for so long and then named", fencing("are waited for, and a primary without any is quiet"), fencing("make the fence partial and are named; what nobody can scale is not waited for")),
  inTest("F32", "the permission to fence is missing", fencing("says what it could not stop, and still knows what it did"), refusals("no capacity, no quota and no permission are refusals for good")),
  played("F33", "the newest backup has not arrived", { shelf: "not arrived" }, { shelf: "nothing whole" }),
  played("F34", "the files are there, the data is not", { shelf: "data missing" }, { shelf: "nothing whole" }),
  played("F35", "an archive that was cut off", { shelf: "cut archive" }, { shelf: "nothing whole" }),
  inTest("F36", "lists in pages, in another order", walk("give each name once, in order, with what either has of it, however they come in pages"), walk("are both let go when one of them breaks off")),
  played("F37", "backups that failed in part, or are not finished", { shelf: "partially failed" }, { shelf: "unfinished" }),
  played("F38", "a point that is about to expire", { shelf: "about to expire" }, gate("stays shut without a point that was chosen, and before the data moves for one that has expired")),
  argued("F39", "an account failover that is under way or fails", "no path of the app asks for one: shared storage is read at its secondary endpoint", failover("needs no policy, passes no data point and deletes nothing on shared storage"), refusals("a secondary that is not in service has no last sync time")),
  inTest("F40", "403 from storage", errors("list blobs on https://stshopneu.blob.core.windows.net/velero/backups/ > carries Retry-After of a refusal that may pass, and asks once"), verification("a store that cannot be looked at is a finding with its words, and the step is tried again")),
  played("F41", "storage that is busy, breaks off, crawls", { troubles: [call("blobs", "*", throttled, 1, 3), call("blobs", "*", { kind: "slow", delayMs: 20_000 }, 6, 1)] }, { troubles: [call("blobs", "*", refused, 0, always)] }),
  inTest("F42", "a key in a vault of the primary", verification("that refuses what nobody judges, has no addresses left, issues no tokens, or whose store needs a vault of the primary is told of"), ties("that the backup names and the plan does not list as outside of the primary are a finding, however they are named")),
  onReal("F43", "a repository that cannot be opened in the secondary", traps("a storage location that was re-pointed just before: the restore waits until its repository is ready again"), real("a lost region is recovered on replicated storage, with what was on its volume")),
  inTest("F44", "a hostile archive", tarball("what is beyond a bound is refused by name"), tarball("memory does not grow with the archive: 200 MB stream by")),
  inTest("F45", "backups of the future", point("what says that it was taken in the future is passed over, but for the minutes by which clocks differ"), point("a metadata file of another backup, or none, is no backup")),
  played("F46", "the secondary's cluster does not know the backup, or half of it", { shelf: "half in view" }, { shelf: "not in view" }),
  inTest("F47", "replication has stood still for weeks", told("the objective is broken when the newest proven point is older than it, or there is none"), verification("nothing of, long after the backup was there, is a finding")),
  played("F48", "an operation is under way already", { troubles: [call("arm", "start cluster", lostAnswer, 0, 1)] }, { troubles: [call("arm", "start cluster", refused, 0, always)] }),
  played("F49", "a cluster that never comes up", { troubles: [call("arm", "read cluster", throttled, 2, 4)] }, { troubles: [call("arm", "read cluster", refused, 0, always)] }),
  played("F50", "no capacity", { troubles: [{ kind: "capacity", nodes: 1 }] }, { troubles: [{ kind: "capacity", nodes: 0 }] }),
  inTest("F51", "no room in a quota", verification("has room for the claims' storage or has not; what the pods do not say is unknown"), warming("a pool that cannot be raised is a reason not to jump")),
  inTest("F52", "a cluster or a pool that is Failed", warming("is able with the pools of the plan, whatever its last update came to"), warming("is not when it is being deleted, or has no such pool: both are said")),
  inTest("F53", "nodes that are not Ready, or too few", warming("after its pools were raised, which a stopped cluster could not be asked before"), warming("never, when the pool ended Failed with too few nodes")),
  played("F54", "the API server is busy", { troubles: [call("kubernetes", "*", throttled, 5, 6)] }, { troubles: [call("kubernetes", "*", throttled, 0, always)] }),
  inLab("F55", "an admission webhook blocks the restore", verification("that refuses what nobody judges, has no addresses left, issues no tokens, or whose store needs a vault of the primary is told of"), endings("over a webhook that must answer and has nobody who does it ends target-not-ready and names it, before anything is fenced, and leaves it alone")),
  inTest("F56", "kinds, classes, versions that the secondary lacks", kinds("one that the backup brings along, and the plan restores"), kinds("one that nobody knows is named, with the remedy")),
  inTest("F57", "a registry in the primary", verification("that has all that the newest proven point needs is said to, question by question"), verification("that lacks an API, a class, a registry, room in a quota or nodes is told of, each by its name")),
  inTest("F58", "no addresses, no way out of the subnet", ties("a pod that has a node and gets no address or no image is in trouble; one that waits for a node, begins, or has begun is not"), verify("the ingress does not answer")),
  inTest("F59", "workload identity is missing in the secondary", ties("service accounts that sign in by workload identity need a secondary that issues tokens for it"), verify("something is not up that no assertion names")),
  inTest("F60", "Velero or its node agents are missing", ready("not without any node agent: volumes would wait for ever"), endings("without a Velero in the secondary it ends target-not-ready and says what to install, before anything is fenced")),
  argued("F61", "a drill takes the room", "drills are not built; whatever else holds the target's namespaces or its nodes is found before anything is fenced", endings("over a namespace that is not empty it ends target-not-ready and names what is there, before anything is fenced"), endings("without capacity in the target it ends target-not-ready before anything is fenced")),
  inTest("F62", "certificates that expire", ties("that end within 30 days are a finding, within a day a stronger one, over ones the strongest; later ones are none"), probes("an authority that is not trusted is no answer")),
  played("F63", "a restore is created and its answer lost", { troubles: [call("kubernetes", "create", lostAnswer, 0, 3)] }, { troubles: [call("kubernetes", "create", late, 0, 2)] }),
  played("F64", "a restore that never begins", restoring("calls one that waits for its turn neither still nor late, and counts its time from its turn on"), { troubles: [{ kind: "restore", nth: 1, trouble: "stuck-new" }] }),
  played("F65", "a mover that fails", restoring("leaves a mover that prepares as long as Velero does: half an hour"), { troubles: [{ kind: "restore", nth: 1, trouble: "mover-fails" }] }),
  played("F66", "Velero's server restarts in the middle", { troubles: [{ kind: "restore", nth: 1, trouble: "server-restarts" }] }, failover("stops restoring when Velero's server ends a third time")),
  played("F67", "a restore that fails in part", endings("restores from the locked container: Velero's log is missing there, and the report says so"), { troubles: [{ kind: "restore", nth: 1, trouble: "partially-failed" }] }),
  played("F68", "Completed, and the volume is blank", traps("a backup that was imported before its volume list had arrived: the list is added, and the volume comes"), { troubles: [{ kind: "restore", nth: 1, trouble: "volume-left-out" }] }),
  inTest("F69", "FailedValidation", replay("no-such-backup ends as it was recorded"), restores("a location with a foreign folder is Unavailable at once, and restores from it are refused")),
  inTest("F70", "a claim that is never bound", controllers("pods that find no room wait with the reason, and start when a node comes"), controllers("a claim of a class that is not there keeps its pod pending")),
  inLab("F71", "pods that do not come up", traps("a storage location that was re-pointed just before: the restore waits until its repository is ready again"), verify("replicas are missing")),
  inTest("F72", "a namespace that does not end", controllers("a deleted namespace ends with everything in it, volumes and files too"), ready("says of a namespace that does not end what holds it, and of one that cannot be looked at nothing")),
  played("F73", "consumers that work before the switch", {}, ready("says everything that is missing or in the way")),
  inTest("F74", "restored controllers act on the world", ties("controllers that act on the world are told of by their image, unless a consumer selector holds them until release"), restoring("brings consumers held, with the modifier there before the restore that reads it")),
  inTest("F75", "ConfigMaps that point back to the primary", fit("is no place for settings that lead back to the primary"), verify("the page does not hold the application's own text")),
  argued("F76", "addresses and ports that change", "nothing is asked by them: assertions go through the secondary's ingress", verify("what users will see, what runs, what was moved and what came: all of it is said")),
  inTest("F77", "a restore that takes too long", failover("stays within 500 events an instance while a restore is polled for an hour, and carries what the step gave it"), desk("is late when the time is up, looks once more at that very instant, and says what it saw last")),
  played("F78", "the secondary's cluster dies while it is restored into", { troubles: [call("kubernetes", "*", refused, 60, 20)] }, { troubles: [call("kubernetes", "*", refused, 60, always)] }),
  inTest("F79", "a page of somebody else's", verify("the page has another status"), own("is not a page of somebody else's, whatever its status")),
  played("F80", "verified, and fallen over", { troubles: [{ kind: "falls", afterMs: 0 }] }, { troubles: [{ kind: "falls", afterMs: 700 }] }),
  inTest("F81", "evidence of another run, plan or time", gate("before the traffic point stays shut without verified, and with one of another run, epoch, plan version, or a mere intent"), perform("are not passed for a region that this run has not verified, or that is not right any more")),
  argued("F82", "probes that write", "a probe is a GET without a body", probes("a page is asked under its own name")),
  played("F83", "who verifies dies", struck("verify-applications", 1, 20_000), struck("verify-applications", 1, 180 * minute)),
  played("F84", "the switch fails before or after its effect", { troubles: [call("arm", "open secondary", lostAnswer, 0, 1)] }, { troubles: [call("arm", "open secondary", throttled, 0, 20)] }),
  played("F85", "the switch is half done", struck("open-secondary", 6, minute), struck("open-secondary", 6, 180 * minute)),
  played("F86", "a late write of an old host", { troubles: [call("arm", "open secondary", late, 0, 1)] }, { troubles: [{ kind: "pause", at: 150_000, host: 0, forMs: 120 * minute }] }),
  played("F87", "the secondary fails right after the switch", own("asks every page that the plan asserts, as users ask: one that fails is enough to wait"), { troubles: [{ kind: "falls", afterMs: 1_500 }] }),
  argued("F88", "all endpoints degraded", "the primary's endpoint is disabled: Traffic Manager has one to answer with", traffic("a degraded primary is served all the same while the secondary is closed: nothing jumps by itself"), traffic("with both open a degraded primary loses to the secondary, and two degraded ones count as online")),
  inLab("F89", "clients that stay at the primary", honest("who writes to the primary directly is refused from the fence on, though every answer to the fence is lost once"), honest("without the step that quiets the primary its writes are counted, and the run is not believed")),
  argued("F90", "a probe sends users back", "the primary's endpoint is disabled, and only stand-down opens it again: the checker of S1 looks at each event of every seed", traffic("a closed endpoint is probed no more, and being opened again starts over")),
  inTest("F91", "the secondary's certificate is wrong", probes("somebody with a certificate for another name is there and not trusted; a closed port is nobody"), probes("an authority that is not trusted is no answer")),
  argued("F92", "cold caches", "there is no ramp: DNS moves users within its time to live. Nothing is opened before every replica that the plan asserts is ready and the application itself answers through the secondary's ingress; behind the point there is only forward, and a person", verify("replicas are missing"), own("asks every page that the plan asserts, as users ask: one that fails is enough to wait")),
  inTest("F93", "the profile is edited by hand", verification("that somebody led elsewhere by hand is found by the next verification, and closed when it leads back"), verification("is left out of it while a run moves it, and follows the ledger once users were moved")),
  inTest("F94", "two plans, one profile", not("two plans share a profile or do not"), plans("refuses two plans that would move each other's users or fill each other's namespaces")),
  argued("F95", "the secondary is slow after the point of no return", "behind the point there is only forward, and a person", steps("seenFromOutside always says try again"), perform("refuse the abort that comes after the secondary was opened")),
  argued("F96", "notices cannot be delivered", "none are sent; the report is written by a step that is tried again, from the ledger alone", report("a report that is written again, minutes later, is the same report: it ended when it was first begun to be written"), steps("what ends a run is tried for minutes: our own account may be away for a while")),
  played("F97", "the primary comes back with writes that nobody saw", back(600_000), back(60 * minute)),
  argued("F98", "failback without protection", "nothing fails back: once users were moved the ledger opens no other run for the plan, whoever asks", ledger("is refused after users were moved: there is nowhere to go")),
  inTest("F99", "backups do not run in the new region", own("with status {\"phase\":\"InProgress\"} are not-yet"), own("with status {\"phase\":\"FailedValidation\",\"validationErrors\":[\"no location\"]} are failed")),
  argued("F100", "cleaning up in the wrong cluster", "cleaning up deletes nothing, and changes back only what carries the undo of a run of this plan: in another cluster there is none", fencing("gives back what a halted run of the same plan stopped, and leaves alone what is not ours")),
  played("F101", "a host dies anywhere", struck("start-restore shop-main", 6, 20_000), struck("start-restore shop-main", 6, 180 * minute)),
  played("F102", "two hosts, one thing", { troubles: Array.from({ length: 6 }, (_, nth): Trouble => ({ kind: "again", nth: 10 + nth * 9, afterMs: nth % 2 === 0 ? 0 : 5 * minute })) }, { troubles: Array.from({ length: 30 }, (_, nth): Trouble => ({ kind: "again", nth: 2 + nth * 3, afterMs: nth % 2 === 0 ? 0 : 60 * minute })) }),
  played("F103", "a host that stands still for hours", { troubles: [{ kind: "pause", at: 120_000, host: 0, forMs: 20 * minute }] }, { troubles: [{ kind: "pause", at: 120_000, host: 0, forMs: 180 * minute }, { kind: "pause", at: 121_000, host: 1, forMs: 30 * minute }] }),
  played("F104", "bells that are lost or ring twice", { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve")], troubles: [call("hub", "raiseEvent", refused, 0, 1)] }, { plan: { approval: "one" }, deeds: [alert(90_000), says("Grace Approver", "approve")], troubles: [call("hub", "raiseEvent", refused, 0, always)] }),
  inTest("F105", "another version of the app in mid-run", handOver("finishes on version 2, wherever it was when the app was deployed, and takes every act as often as without that"), handOver("is left alone by a host of version 1, which loses nothing of it, and goes on when one of version 2 is back")),
  inTest("F106", "the task hub goes away", hub("killed at random moments, all orchestrations come to their right ends and none is lost"), takeover("before the traffic point, in …")),
  played("F107", "the ledger cannot be reached", { troubles: [call("home", "*", refused, 30, 40)] }, { troubles: [call("home", "*", refused, 30, 300)] }),
  inTest("F108", "tokens that expire in mid-run", cluster("calls share a connection, and each brings the token of its moment"), cluster("without a token it is still asked whether anything answers, and nothing else")),
  inTest("F109", "clocks that jump", clock("is not behind a timer even where the host's clock is"), clock("never goes back")),
  inLab("F110", "no memory, no disk, no files", starved("a host that runs out of files in the middle of a failover says so, and goes on where it was when it is started anew"), starved("a host that runs out of …")),
  argued("F111", "a message that kills its worker", "an activity answers whatever it is given, and is tried a bounded number of times", perform("that throws says try again, with the wait that was asked for, and tells the log"), desk("takes an activity that broke for one that says try again")),
  inTest("F112", "settings that are missing or wrong", settings("that are wrong are named all together, each with what to write"), settings("cannot be changed once they are read")),
  argued("F113", "telemetry is away", "the app's only telemetry is lines on standard output", tidy("imports go down the floors only")),
  inTest("F114", "libraries that are upgraded under us", golden("every prefix is replayed as it was recorded: > …"), golden("a history that was tampered with is refused: > …")),
];
