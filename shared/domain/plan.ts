/**
 * The plan: the protected unit, one YAML file. This schema is the one source of its types, of the JSON Schema that editors
 * read (`docs/plans/plan.schema.json`) and of every message about a plan that is wrong.
 */
import { z } from "zod";
import { agent } from "./plan-agent.ts";
import { anyCase, cluster, httpsUrl, labelKey, labelSelector, name, namespace, objectName, resourceId, seconds, segment, urlPath } from "./plan-fields.ts";
import { rule, withRules } from "./plan-rule.ts";
import { rulesAcrossParts } from "./plan-rules.ts";
import { storage } from "./plan-storage.ts";

const region = z.strictObject({
  name: z.string().min(1).describe("Azure region, as `location` shows it: westeurope."),
  cluster,
  ingress: httpsUrl.describe("Address of this region's own ingress, the public path kept: https://weu.shop.example.com/."),
});

const primary = region.extend({
  veleroNamespace: namespace.default("velero").describe("Where Velero lives in this cluster."),
  storageLocation: name.default("default").describe("Velero's own storage location here: what a lost namespace is recovered from in place."),
});

const secondary = region.extend({
  veleroNamespace: namespace.default("velero").describe("Where Velero lives in this cluster."),
  pools: z
    .array(z.strictObject({ name: z.string().min(1), nodes: z.number().int().min(1).max(1000).describe("Ready nodes this pool must have before anything is restored.") }))
    .min(1)
    .max(20)
    .describe("Node pools that must be able to take the load. Raised to `nodes` if they are smaller; never lowered."),
  storageClasses: z.array(z.string().min(1)).max(20).default([]).describe("Storage classes that the backups' volumes need here."),
  registries: z
    .array(z.string().min(1))
    .max(50)
    .default([])
    .describe("Registries that this cluster can pull from while the primary region is lost, as images name them: shop.azurecr.io. Empty: nothing is said of images."),
  keyVaults: z.array(z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/, "is not the name of a key vault")).max(50).optional().describe("Key vaults, by name, that answer here while the primary region is lost. Not given: nothing is said of vaults."),
});

/** How far a restore point must be proven before a failover may take it; each state includes those before it. */
export const ladder = ["seen", "replicated", "complete", "readable", "restored", "asserted"] as const;
export type Rung = (typeof ladder)[number];

const backups = withRules(
  z.strictObject({
    schedule: z.string().min(1).optional().describe("Velero schedule whose backups belong to this plan (label velero.io/schedule-name)."),
    names: z.array(z.string().min(1)).max(100).default([]).describe("Backups that belong to this plan beside those of the schedule; `*` at the end stands for any ending."),
    provenFrom: z.enum(ladder).default("readable").describe("A restore point counts as proven from this state on."),
    acceptPartiallyFailed: z.boolean().default(false).describe("Whether a backup that ended PartiallyFailed may be restored."),
    maxAgeSeconds: seconds.default(86_400).describe("A failover refuses restore points older than this."),
    expiryMarginSeconds: seconds.default(7_200).describe("A restore point must live at least this much longer, so that it does not expire under the restore."),
    replicationDeadlineSeconds: seconds.default(3_600).describe("A backup that has not arrived whole at the replica this long after its end is late."),
    verifyEverySeconds: seconds.default(900).describe("How often all backups are held against both containers. As often as VERIFICATION_SCHEDULE allows."),
    rereadEverySeconds: seconds.default(604_800).describe("How long it is believed that an unchanged blob still reads as it did. After that all of it is read again."),
    extendExpirySeconds: seconds.optional().describe("Where given, the newest proven restore point lives this much longer when it is about to expire and nothing newer is proven: the expiration of its Backup in the primary is moved. Not given: a finding, and nothing is changed."),
  }),
  rule(z.object({ schedule: z.string().optional(), names: z.array(z.string()).max(0) }), ({ schedule }, report) => {
    if (schedule === undefined) report([], "must select backups", "give `schedule`, `names` or both");
  }),
);

const application = withRules(
  z.strictObject({
    name,
    wave: z.number().int().min(1).max(20).describe("Applications of one wave are restored side by side; the next wave starts when all of them are up."),
    namespaces: z.array(namespace).max(100).default([]).describe("Namespaces of this application. Empty for one that is only cluster-scoped resources."),
    clusterResources: z.array(z.string().min(1)).max(100).default([]).describe("Cluster-scoped kinds to restore with it, as Velero names them: customresourcedefinitions.apiextensions.k8s.io."),
    consumers: z
      .strictObject({
        label: labelKey.default("lifeboat.dev/consumer").describe("Workloads whose label of this name is \"true\" do not act before release: they come in suspended or scaled to zero."),
        podSelectors: z
          .array(labelSelector)
          .max(50)
          .default([])
          .describe("Labels that the consumers' pods carry: those loose pods are left out of the restore."),
      })
      .prefault({}),
  }),
  rule(z.object({ namespaces: z.array(z.string()).max(0), clusterResources: z.array(z.string()).max(0) }), (_, report) =>
    report([], "restores nothing", "give `namespaces`, `clusterResources` or both"),
  ),
);

/** A signal of the confirmation. Each answers `down`, `up` or `unknown`. */
const signal = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("public-probe"), path: urlPath.default("/healthz") }).describe("The primary's ingress asked over HTTPS from where Lifeboat runs."),
  z.strictObject({ kind: z.literal("backend-probe"), path: urlPath.default("/orders") }).describe("A path that needs the application's own data behind the ingress."),
  z.strictObject({ kind: z.literal("kubernetes-api") }).describe("/readyz of the primary's API server, and its nodes."),
  z.strictObject({ kind: z.literal("resource-health") }).describe("Azure Resource Health of the primary cluster."),
  z.strictObject({ kind: z.literal("traffic-manager") }).describe("What Traffic Manager's own probes say of the primary's endpoint."),
]);

/** Signals that look at the cluster itself. One of them must say `down` before anything is lost. */
export const clusterSignals = ["kubernetes-api", "resource-health"] as const satisfies readonly z.output<typeof signal>["kind"][];
/** Signals that see only what is in front of the cluster: a broken ingress or certificate looks the same to them. */
const frontSignals = ["public-probe", "backend-probe", "traffic-manager"] as const satisfies readonly Exclude<z.output<typeof signal>["kind"], (typeof clusterSignals)[number]>[];

const confirmation = withRules(
  z.strictObject({
    signals: z.array(signal).min(2).max(10),
    agree: z.number().int().min(2).describe("How many signals must say `down` at the same time. `unknown` is not `down`."),
    soakSeconds: seconds.default(60).describe("For how long they must agree without a break before the loss is believed."),
    everySeconds: seconds.default(10).describe("How often all signals are read."),
    giveUpSeconds: seconds.default(900).describe("Not confirmed by then: the run ends `not-failed-over`."),
    timeoutSeconds: z.number().positive().max(30).default(3).describe("How long each question of a reading may take. Silence of the primary itself is `down`; silence of whoever is asked about it is `unknown`."),
    controls: z.array(httpsUrl).min(1).max(5).describe("Places that must answer: when none of them does, it is we who are cut off, and every reading is `unknown`."),
  }),
  rule(z.object({ signals: z.array(z.unknown()).max(10), agree: z.number() }), ({ signals, agree }, report) => {
    if (agree > signals.length) report(["agree"], `must be at most the number of signals, which is ${signals.length}`, "lower it, or list more signals");
  }),
  rule(z.object({ signals: z.array(z.looseObject({ kind: z.string() })).max(10) }), ({ signals }, report) => {
    const kinds = signals.map(({ kind }) => kind);
    kinds.forEach((kind, at) => {
      if (kinds.indexOf(kind) !== at) report(["signals", at, "kind"], `lists ${kind} a second time`, "remove one: two readings of one signal are not two witnesses");
    });
  }),
  rule(z.object({ signals: z.array(z.looseObject({ kind: z.enum(frontSignals) })).min(1).max(10) }), (_, report) =>
    report(["signals"], "lists none that looks at the cluster itself", `add ${clusterSignals.join(" or ")}: the ingress in front of a cluster may break alone`),
  ),
  rule(z.object({ soakSeconds: z.number(), everySeconds: z.number() }), ({ soakSeconds, everySeconds }, report) => {
    if (everySeconds * 2 > soakSeconds)
      report(["everySeconds"], `must be at most half of soakSeconds, which is ${soakSeconds}`, "lower it, or raise soakSeconds: without a look in between nobody knows that it stayed as it was");
  }),
  rule(z.object({ timeoutSeconds: z.number(), everySeconds: z.number() }), ({ timeoutSeconds, everySeconds }, report) => {
    if (timeoutSeconds > everySeconds) report(["timeoutSeconds"], `must be at most everySeconds, which is ${everySeconds}`, "lower it: a reading must be done before the next one is due");
  }),
  rule(z.object({ soakSeconds: z.number(), giveUpSeconds: z.number() }), ({ soakSeconds, giveUpSeconds }, report) => {
    if (giveUpSeconds <= soakSeconds) report(["giveUpSeconds"], `must be more than soakSeconds, which is ${soakSeconds}`, "raise it: nothing could be confirmed in that time");
  }),
);

/** What was found when the primary was to be stopped, strongest first. See the words in docs/product.md. */
export const fenceLevels = ["fenced", "self-fenced", "traffic-only"] as const;
export type FenceLevel = (typeof fenceLevels)[number];

const fence = withRules(
  z.strictObject({
    enough: z.array(z.enum(fenceLevels)).min(1).max(fenceLevels.length).describe("Levels that are enough without a person."),
    trafficOnlyBecause: z.string().min(20).optional().describe("Why no client reaches the primary by another way than the public name. Needed where `traffic-only` is enough."),
    suspend: z
      .array(z.enum(["workloads", "velero", "gitops"]))
      .max(3)
      .default(["workloads", "velero", "gitops"])
      .describe("What is stopped in the primary as far as it can be reached. `workloads` is always among it: what still runs still takes writes."),
    agent: agent.optional().describe("The lease agent in the primary, where one is installed. It closes the application when it is told to, and by itself when it cannot renew its lease at home. Not given: there is none."),
  }),
  rule(z.object({ suspend: z.array(z.unknown()) }), ({ suspend }, report) => {
    if (!suspend.includes("workloads")) report(["suspend"], "does not list `workloads`", "add it: a primary whose workloads run is not fenced, whatever else is stopped");
  }),
  rule(z.object({ enough: z.array(z.unknown()), agent: z.undefined().optional() }), ({ enough }, report) => {
    if (enough.includes("self-fenced")) report(["agent"], "is missing, and `self-fenced` is listed in `enough`", "install the lease agent in the primary and add `agent: {}`, or take `self-fenced` out: without an agent nothing is ever found self-fenced");
  }),
  rule(z.object({ enough: z.array(z.unknown()), trafficOnlyBecause: z.undefined().optional() }), ({ enough }, report) => {
    if (enough.includes("traffic-only"))
      report(["trafficOnlyBecause"], "is missing, and `traffic-only` is listed in `enough`", "write why no client reaches the primary by another way than the public name, or take `traffic-only` out");
  }),
);

const assertion = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("http"), path: urlPath, status: z.number().int().min(100).max(599).default(200), contains: z.string().optional().describe("Text that the answer must hold.") }).describe("Asked through the secondary's own ingress with the public name and its certificate."),
  z.strictObject({ kind: z.literal("workload"), namespace, name: objectName, workload: z.enum(["Deployment", "StatefulSet", "DaemonSet"]) }).describe("All replicas ready."),
  z.strictObject({ kind: z.literal("volume"), namespace, claim: objectName }).describe("The claim is bound, and its data was restored from the chosen point."),
]);

const traffic = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("traffic-manager"),
    profile: resourceId("Microsoft.Network/trafficManagerProfiles").describe("Resource id of the Traffic Manager profile."),
    endpoints: z.strictObject({ primary: z.string().min(1), secondary: z.string().min(1) }).describe("Names of the two external endpoints."),
    publicUrl: httpsUrl.describe("The address that users have."),
  }),
  z.strictObject({
    kind: z.literal("dns"),
    recordSet: resourceId("Microsoft.Network/dnsZones", `${segment}/${anyCase("CNAME")}/${segment}`, "example.com/CNAME/shop").describe("The CNAME record set that the public name is."),
    targets: z.strictObject({ primary: z.string().min(1), secondary: z.string().min(1), closed: z.string().min(1).describe("A name that answers nobody: where the record points while the primary is fenced.") }),
    ttlSeconds: z.number().int().min(1).max(300).default(30),
    publicUrl: httpsUrl.describe("The address that users have."),
  }),
]);

const approval = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("automatic"), because: z.string().min(20).describe("Why nobody has to be asked.") }),
  z.strictObject({ mode: z.literal("veto"), windowSeconds: seconds.describe("Goes on when nobody objects within this time.") }),
  z.strictObject({ mode: z.literal("approval"), approvals: z.number().int().min(1).max(5), expiresSeconds: seconds.describe("Ends `declined` when not given within this time.") }),
]);

const restore = withRules(
  z.strictObject({
    deadlineSeconds: seconds.default(3_600).describe("A restore not at its end by then halts the run."),
    stallSeconds: seconds.default(600).describe("No progress for this long halts the run."),
  }),
  rule(z.object({ deadlineSeconds: z.number(), stallSeconds: z.number() }), ({ deadlineSeconds, stallSeconds }, report) => {
    if (stallSeconds > deadlineSeconds) report(["stallSeconds"], `must be at most deadlineSeconds, which is ${deadlineSeconds}`, "lower it: the deadline would always come first");
  }),
);

const body = z.strictObject({
  plan: name.describe("Name of the plan; run ids are made of it: shop-7."),
  about: z.string().max(500).optional().describe("One sentence for whoever reads it at 3 a.m."),
  primary: primary.describe("The region that serves on a quiet day."),
  secondary: secondary.describe("The region that takes over."),
  storage: storage.describe("Where the backups lie, and where new ones go after a failover."),
  backups: backups.describe("Which backups belong to this plan, and which of them may be restored."),
  applications: z.array(application).min(1).max(50).describe("What is restored, in waves."),
  confirmation: confirmation.describe("When a loss is believed."),
  approval: approval.describe("Who has to agree before a failover that an alert started goes on."),
  fence: fence.describe("What must have stopped in the primary before the secondary may take writes."),
  assertions: z.array(assertion).min(1).max(50).describe("What must be true in the secondary before users are sent there."),
  traffic: traffic.describe("How users are sent from one region to the other."),
  alerts: z
    .strictObject({ targets: z.array(z.string().min(1)).max(100).default([]).describe("Resource ids whose alerts belong to this plan, beside its own cluster and profile.") })
    .prefault({}),
  objectives: z
    .strictObject({
      rtoSeconds: seconds.describe("Recovery time objective: last good answer to first good answer."),
      rpoSeconds: seconds.describe("Recovery point objective: the loss that is acceptable. More needs a person's yes, whoever decides."),
    })
    .describe("What the figures of a run are held against."),
  restore: restore.prefault({}),
  cooldownSeconds: z.number().int().min(0).max(604_800).default(3_600).describe("After a failover, and after a person has stopped one, alerts open no other run for this long."),
});

/** The whole plan with its rules. `parse` gives a `Plan`; read files with `readPlan` (plan-file.ts), which says where the problems are. */
export const planSchema = withRules(
  body,
  ...rulesAcrossParts,
  rule(
    z.object({ traffic: z.looseObject({ kind: z.literal("dns") }), confirmation: z.looseObject({ signals: z.array(z.looseObject({ kind: z.string() })).max(10) }) }),
    ({ confirmation: { signals } }, report) => {
      const at = signals.findIndex(({ kind }) => kind === "traffic-manager");
      if (at >= 0) report(["confirmation", "signals", at, "kind"], "needs traffic of kind traffic-manager", "remove this signal, or send users through a Traffic Manager profile");
    },
  ),
  rule(z.object({ applications: z.array(z.looseObject({ name: z.string() })).max(50) }), ({ applications }, report) => {
    const names = applications.map((a) => a.name);
    names.forEach((n, at) => {
      if (names.indexOf(n) !== at) report(["applications", at, "name"], `\`${n}\` is used twice`, "give every application a name of its own");
    });
  }),
  rule(z.object({ applications: z.array(z.looseObject({ namespaces: z.array(z.string()).max(100) })).max(50) }), ({ applications }, report) => {
    const taken = new Set<string>();
    applications.forEach(({ namespaces }, at) =>
      namespaces.forEach((namespace, index) => {
        if (taken.has(namespace)) report(["applications", at, "namespaces", index], `lists namespace \`${namespace}\` a second time`, "leave each namespace to one application, or it would be restored twice");
        taken.add(namespace);
      }),
    );
  }),
);

/** A plan as its author writes it. */
export type PlanFile = z.input<typeof planSchema>;
/** A plan with every default filled in. */
export type Plan = z.output<typeof planSchema>;
export type Application = Plan["applications"][number];
export type Signal = Plan["confirmation"]["signals"][number];
export type Assertion = Plan["assertions"][number];
export type Topology = Plan["storage"]["topology"];
