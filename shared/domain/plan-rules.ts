/** Rules that hold parts of a plan against each other: what one part names, another must have, and two regions are never one. */
import { z } from "zod";
import { httpsUrl, sameId } from "./plan-fields.ts";
import { readCron } from "./plan-cron.ts";
import { type ReportProblem, type Rule, rule } from "./plan-rule.ts";
import { nearest } from "./spelling.ts";

const side = z.object({ name: z.string(), cluster: z.string() });
const ingress = z.object({ ingress: httpsUrl });

const twoRegions = rule(z.object({ primary: side, secondary: side }), ({ primary, secondary }, report) => {
  if (primary.name === secondary.name) report(["secondary", "name"], "must differ from the primary region", "name the region that takes over");
  if (sameId(primary.cluster, secondary.cluster)) report(["secondary", "cluster"], "must differ from the primary cluster", "give the id of the cluster in the secondary region");
});

const hostOf = (url: string): string => new URL(url).host;

const twoIngresses = rule(z.object({ primary: ingress, secondary: ingress }), ({ primary, secondary }, report) => {
  if (hostOf(primary.ingress) === hostOf(secondary.ingress))
    report(["secondary", "ingress"], "must differ from the primary's ingress", "give the secondary region's own address: what is asked there must never be answered by the primary");
});

/** The public name follows the traffic; a region's own name stays. Were they one, nothing could be moved, or nothing told apart. */
const publicNameApart = rule(z.object({ primary: ingress, secondary: ingress, traffic: z.looseObject({ publicUrl: httpsUrl }) }), ({ primary, secondary, traffic }, report) => {
  for (const [region, { ingress: address }] of [["primary", primary], ["secondary", secondary]] as const)
    if (hostOf(address) === hostOf(traffic.publicUrl)) report([region, "ingress"], "must differ from the public address, which follows the traffic", "give this region's own name, which leads to it wherever users are sent");
});

/** Azure and DNS know no case, and a name may end in a dot. */
const sameName = (one: string, other: string): boolean => one.toLowerCase().replace(/\.$/, "") === other.toLowerCase().replace(/\.$/, "");

const twoEndpoints = rule(z.object({ traffic: z.looseObject({ endpoints: z.looseObject({ primary: z.string(), secondary: z.string() }) }) }), ({ traffic: { endpoints } }, report) => {
  if (sameName(endpoints.primary, endpoints.secondary))
    report(["traffic", "endpoints", "secondary"], "must differ from the primary's endpoint", "name the endpoint of the secondary region: one endpoint cannot be closed and open");
});

const threeTargets = rule(z.object({ traffic: z.looseObject({ targets: z.object({ primary: z.string(), secondary: z.string(), closed: z.string() }) }) }), ({ traffic: { targets } }, report) => {
  if (sameName(targets.primary, targets.secondary)) report(["traffic", "targets", "secondary"], "must differ from the primary's target", "give the name that leads to the secondary region");
  if (sameName(targets.closed, targets.primary) || sameName(targets.closed, targets.secondary))
    report(["traffic", "targets", "closed"], "must differ from both regions' targets", "give a name that answers nobody: the record points there while the primary is fenced");
});

const assertionsOnWhatIsRestored = rule(
  z.object({ applications: z.array(z.looseObject({ namespaces: z.array(z.string()).max(100) })).max(50), assertions: z.array(z.looseObject({ namespace: z.string().optional() })).max(50) }),
  ({ applications, assertions }, report) => {
    const restored = applications.flatMap(({ namespaces }) => namespaces);
    assertions.forEach(({ namespace }, at) => {
      if (namespace === undefined || restored.includes(namespace)) return;
      const meant = nearest(namespace, restored);
      report(["assertions", at, "namespace"], `is \`${namespace}\`, which no application restores`, meant === null ? "assert what the plan restores, or list the namespace with an application" : `did you mean \`${meant}\`?`);
    });
  },
);

/** Held against the shortest distance between two backups: a longer one at times, over a weekend for one, is the author's choice. */
const backupsOftenEnough = rule(
  z.object({ backups: z.looseObject({ maxAgeSeconds: z.number() }), storage: z.looseObject({ newBackups: z.looseObject({ schedule: z.string() }) }), objectives: z.looseObject({ rpoSeconds: z.number() }) }),
  ({ backups, storage, objectives }, report) => {
    const cron = readCron(storage.newBackups.schedule);
    if (cron.kind !== "cron") return;
    const { shortestSeconds } = cron;
    tooOld(["backups", "maxAgeSeconds"], backups.maxAgeSeconds, shortestSeconds, "every point would be refused as too old before the next one exists", report);
    tooOld(["objectives", "rpoSeconds"], objectives.rpoSeconds, shortestSeconds, "no failover from these backups could keep it", report);
  },
);

function tooOld(path: readonly string[], seconds: number, shortestSeconds: number, why: string, report: ReportProblem): void {
  if (seconds < shortestSeconds) report(path, `must be at least what lies between two backups of \`storage.newBackups.schedule\`, which is ${shortestSeconds}`, `raise it, or make backups more often: ${why}`);
}

/** Everything that can only be said of the plan as a whole. */
export const rulesAcrossParts: readonly Rule[] = [twoRegions, twoIngresses, publicNameApart, twoEndpoints, threeTargets, assertionsOnWhatIsRestored, backupsOftenEnough];
