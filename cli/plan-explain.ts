import { personExpiresSeconds } from "../shared/domain/asked.ts";
import { readCron } from "../shared/domain/plan-cron.ts";
import type { Application, Assertion, Plan, Signal } from "../shared/domain/plan.ts";

/** The plan in plain words: what will happen, step by step, when the primary region is lost. A line that begins with `# ` is a heading. */
export function explainPlan(plan: Plan): string[] {
  const { primary, secondary, objectives } = plan;
  const steps: readonly (readonly [string, ...string[]])[] = [
    ["Accept", ...accept(plan)],
    ["Confirm", ...confirm(plan)],
    ["Decide", ...decide(plan)],
    ["Fence the primary", ...fence(plan)],
    ["Choose the restore point", ...choose(plan)],
    ["Promote the backups and make the secondary ready, side by side", ...promote(plan), ...makeReady(plan)],
    ["Restore", ...restore(plan)],
    ["Verify", ...plan.assertions.map((assertion) => assert(assertion, plan))],
    ["Open the secondary", ...open(plan)],
    ["Release", ...release(plan)],
    ["Report", `Write the timeline, the decisions and the measured figures, and hold them against the objectives: back within ${duration(objectives.rtoSeconds)}, at most ${duration(objectives.rpoSeconds)} of changes lost.`],
  ];
  return [
    `# Plan ${plan.plan}: when ${primary.name} is lost, ${secondary.name} takes over`,
    ...(plan.about === undefined ? [] : [plan.about]),
    ...steps.flatMap(([title, ...lines], at) => ["", `# ${at + 1}. ${title}`, ...lines.map((line) => `   ${line}`)]),
  ];
}

function accept({ plan, alerts, cooldownSeconds }: Plan): string[] {
  const others = alerts.targets.length === 0 ? "" : `, or about ${listed(alerts.targets.map(last))}`;
  return [
    `An alert starts it when its custom property lifeboat-plan says ${plan}, or when it is about the primary cluster or the way of its traffic${others}. A person can start it too.`,
    `However many alerts come, one run is opened. After an automatic failover alerts open no other for ${duration(cooldownSeconds)}.`,
  ];
}

function confirm({ confirmation, primary }: Plan): string[] {
  const { signals, agree, soakSeconds, everySeconds, giveUpSeconds, controls } = confirmation;
  return [
    `Read every ${duration(everySeconds)}: ${listed(signals.map((signal) => witness(signal, primary.name)))}.`,
    `${agree === signals.length ? `All ${agree}` : `${agree} of ${signals.length}`} must say down for ${duration(soakSeconds)} without a break; one that cannot see does not count as down. Otherwise, after ${duration(giveUpSeconds)}, nothing is done.`,
    `When none of ${listed(controls)} answers, it is Lifeboat that is cut off, and nothing is believed.`,
  ];
}

function witness(signal: Signal, region: string): string {
  switch (signal.kind) {
    case "public-probe":
      return `${signal.path} at the ingress of ${region}`;
    case "backend-probe":
      return `${signal.path} there, which needs the application's data`;
    case "kubernetes-api":
      return "the Kubernetes API and the nodes";
    case "resource-health":
      return "Azure Resource Health";
    case "traffic-manager":
      return "Traffic Manager's own probes";
  }
}

function decide({ approval, secondary, objectives }: Plan): string[] {
  const look = `Check that ${secondary.name} can take the load; if it cannot, end without touching anything.`;
  const above = `Where more than ${duration(objectives.rpoSeconds)} of changes would be lost, one person has to approve. Not approved within ${duration(personExpiresSeconds)}: end, nothing touched.`;
  switch (approval.mode) {
    case "automatic":
      return [look, `Nobody is asked. ${sentence(approval.because)}`, above];
    case "veto":
      return [look, `Show the decision card, and go on after ${duration(approval.windowSeconds)} unless one of them objects.`, above];
    case "approval":
      return [look, `Wait until ${counted(approval.approvals, "person", "people")} approved. Not approved within ${duration(approval.expiresSeconds)}: end, nothing touched.`];
  }
}

function fence({ fence: { enough, suspend, trafficOnlyBecause, agent }, primary }: Plan): string[] {
  return [
    `Close the public way to ${primary.name}, and stop ${listed(suspend)} there as far as its cluster can be reached. All of it can be undone.`,
    ...(agent === undefined ? [] : agentWords(agent)),
    `Enough to go on without a person: ${listed(enough)}.${trafficOnlyBecause === undefined ? "" : ` Closing the traffic alone may be enough, because: ${sentence(trafficOnlyBecause)}`}`,
  ];
}

function agentWords({ leaseSeconds, closingSeconds, marginSeconds, silenceCounts }: NonNullable<Plan["fence"]["agent"]>): string[] {
  const silence = silenceCounts ? `, or until ${duration(leaseSeconds + closingSeconds + marginSeconds)} after it was heard last` : "";
  return [
    `Ask the lease agent in there to do the same. Where the rest is not enough, wait for its word${silence}.`,
    `Mind: on any day, that agent closes the application by itself when it cannot reach the home account for ${duration(leaseSeconds)}.`,
  ];
}

function choose({ backups }: Plan): string[] {
  const sources = [...(backups.schedule === undefined ? [] : [`those of schedule ${backups.schedule}`]), ...backups.names];
  return [
    `Take the newest backup that is proven ${backups.provenFrom}, out of: ${listed(sources)}.`,
    `Not older than ${duration(backups.maxAgeSeconds)}, not expiring within ${duration(backups.expiryMarginSeconds)}, ${backups.acceptPartiallyFailed ? "PartiallyFailed ones included" : "and not PartiallyFailed"}. If there is none, end with traffic untouched.`,
  ];
}

function promote({ storage }: Plan): string[] {
  switch (storage.topology) {
    case "shared":
      return [`Read ${last(storage.account)} at its secondary endpoint, up to its Last Sync Time. Nothing is promoted, so there is nothing to take back.`];
    case "replicated":
      return [
        `Prove that the point is whole in ${last(storage.replica.account)}, then delete the replication policy there. From here on the copy from ${last(storage.source.account)} cannot simply go on: the data point of no return.`,
        "If the deletion is refused, restore from the locked container.",
      ];
  }
}

function makeReady({ secondary }: Plan): string[] {
  const pools = secondary.pools.map(({ name, nodes }) => `${name} to ${counted(nodes, "node")}`);
  const classes = secondary.storageClasses.length === 0 ? "" : ` It must have storage class ${listed(secondary.storageClasses)}.`;
  return [`Start ${last(secondary.cluster)} if it is stopped, raise pool ${listed(pools)} if it is smaller, and wait for Velero there and its view of the backups.${classes}`];
}

function restore({ applications, storage, restore: { deadlineSeconds, stallSeconds } }: Plan): string[] {
  const waves = [...new Set(applications.map(({ wave }) => wave))].toSorted((a, b) => a - b);
  return [
    `From storage location ${storage.storageLocation}, which stays read-only:`,
    ...waves.map((wave) => `Wave ${wave}: ${applications.filter((a) => a.wave === wave).map(contents).join("; ")}.`),
    `Each is watched until its objects and volumes are really back. After ${duration(stallSeconds)} without progress, or ${duration(deadlineSeconds)} in all, the run halts, and a person decides.`,
  ];
}

function contents({ name, namespaces, clusterResources }: Application): string {
  const parts = [...(namespaces.length === 0 ? [] : [`namespace ${listed(namespaces)}`]), ...(clusterResources.length === 0 ? [] : [listed(clusterResources)])];
  return `${name} (${parts.join("; ")})`;
}

function assert(assertion: Assertion, { secondary, traffic }: Plan): string {
  switch (assertion.kind) {
    case "http":
      return `${new URL(assertion.path, traffic.publicUrl).href}, asked at the ingress of ${secondary.name}, answers ${assertion.status}${assertion.contains === undefined ? "" : ` with "${assertion.contains}" in it`}.`;
    case "workload":
      return `${assertion.workload} ${assertion.namespace}/${assertion.name} has all its replicas ready.`;
    case "volume":
      return `Volume ${assertion.namespace}/${assertion.claim} is bound and holds the data of the chosen point.`;
  }
}

function open({ traffic, secondary }: Plan): string[] {
  const act =
    traffic.kind === "traffic-manager"
      ? `Open endpoint ${traffic.endpoints.secondary} of ${last(traffic.profile)}`
      : `Point ${last(traffic.recordSet)} at ${traffic.targets.secondary}, with ${duration(traffic.ttlSeconds)} of life in caches`;
  return [`${act}: the traffic point of no return. Then ask ${traffic.publicUrl} from outside until ${secondary.name} answers.`];
}

function release({ applications, storage: { newBackups }, objectives, backups }: Plan): string[] {
  const labels = [...new Set(applications.map(({ consumers }) => consumers.label))];
  return [
    `Let the consumers act (label ${listed(labels)}), which were held back until now.`,
    `Start backups to ${last(newBackups.account)}/${newBackups.container} (${newBackups.schedule}) and see the first one Completed. The plan counts as unprotected until it is protected in the other direction.`,
    ...rareBackups(newBackups.schedule, objectives.rpoSeconds, backups.maxAgeSeconds),
  ];
}

/** What the author chose and may not have meant: a rhythm with pauses, over a weekend for one, in which an objective cannot be kept. */
function rareBackups(schedule: string, rpoSeconds: number, maxAgeSeconds: number): string[] {
  const cron = readCron(schedule);
  if (cron.kind !== "cron" || cron.longestSeconds <= Math.min(rpoSeconds, maxAgeSeconds)) return [];
  const broken = [...(cron.longestSeconds > rpoSeconds ? ["a loss in the last of it is more than the objective allows"] : []), ...(cron.longestSeconds > maxAgeSeconds ? ["the newest of them grows too old to be restored"] : [])];
  return [`Mind: between two of those backups lie up to ${duration(cron.longestSeconds)}; ${listed(broken)}.`];
}

/** The last step of a resource id: its name. */
const last = (id: string) => id.split("/").at(-1) ?? id;

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? "nothing") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

/** Seconds as people say them: 90 s, 15 min, 1 h 15 min. */
function duration(seconds: number): string {
  if (seconds < 120 && seconds !== 60) return `${seconds} s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  return [hours > 0 ? `${hours} h` : "", minutes > 0 ? `${minutes} min` : "", rest > 0 ? `${rest} s` : ""].filter((part) => part !== "").join(" ");
}
