/**
 * The plan: the protected unit, one YAML file. This schema is the one source of its types, of the JSON Schema that editors
 * read (`docs/plans/plan.schema.json`) and of every message about a plan that is wrong.
 */
import { z } from "zod";

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and hyphens (it becomes part of object names in Azure and Kubernetes)");
const seconds = z.number().int().positive();
const resourceId = (type: string) =>
  z
    .string()
    .regex(
      new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${type.replace("/", "/")}/[^/]+$`, "i"),
      `must be the full id of a resource of type ${type}: /subscriptions/…/resourceGroups/…/providers/${type}/…`,
    );

const cluster = resourceId("Microsoft.ContainerService/managedClusters").describe("Resource id of the AKS cluster.");
const account = resourceId("Microsoft.Storage/storageAccounts").describe("Resource id of the storage account.");
const container = z.string().regex(/^[a-z0-9](-?[a-z0-9]){2,62}$/, "must be the name of a blob container");

const region = z.strictObject({
  name: z.string().min(1).describe("Azure region, as `location` shows it: westeurope."),
  cluster,
  ingress: z.url().describe("Address of this region's own ingress, the public path kept: https://weu.shop.example.com/."),
});

const primary = region.extend({
  veleroNamespace: z.string().default("velero").describe("Where Velero lives in this cluster."),
});

const secondary = region.extend({
  veleroNamespace: z.string().default("velero").describe("Where Velero lives in this cluster."),
  pools: z
    .array(z.strictObject({ name: z.string().min(1), nodes: z.number().int().min(1).max(1000).describe("Ready nodes this pool must have before anything is restored.") }))
    .min(1)
    .describe("Node pools that must be able to take the load. Raised to `nodes` if they are smaller; never lowered."),
  storageClasses: z.array(z.string()).default([]).describe("Storage classes that the backups' volumes need here."),
});

const ownBackups = z.strictObject({
  account,
  container,
  storageLocation: name.default("own").describe("Name of Velero's storage location for them in the secondary cluster."),
  schedule: z.string().min(1).default("0 * * * *").describe("Cron of the backups that start after a failover."),
});

const storage = z.discriminatedUnion("topology", [
  z
    .strictObject({
      topology: z.literal("shared"),
      account: account.describe("The one account, RA-GRS or RA-GZRS. Its secondary endpoint is read; it is never failed over on the fast path."),
      container,
      storageLocation: name.default("replica").describe("Velero's storage location for the replica in the secondary cluster; ReadOnly, there from the beginning."),
      newBackups: ownBackups.describe("Where the first backups of the new active region go: an account of its own region, never the replica."),
    })
    .describe("One geo-redundant account with read access to its secondary."),
  z
    .strictObject({
      topology: z.literal("replicated"),
      source: z.strictObject({ account, container }).describe("Where the primary's Velero writes."),
      replica: z.strictObject({ account, container }).describe("Where Object Replication copies it to. Locked until the policy is deleted."),
      storageLocation: name.default("replica").describe("Velero's storage location for the replica in the secondary cluster; ReadOnly, there from the beginning."),
      newBackups: ownBackups.describe("Where the first backups of the new active region go: a container of their own, never the replica."),
    })
    .describe("Two accounts with Object Replication between them."),
]);

/** How far a restore point must be proven before a failover may take it; each state includes those before it. */
export const ladder = ["seen", "replicated", "complete", "readable", "restored", "asserted"] as const;
export type Rung = (typeof ladder)[number];

const backups = z.strictObject({
  schedule: z.string().min(1).optional().describe("Velero schedule whose backups belong to this plan (label velero.io/schedule-name)."),
  names: z.array(z.string().min(1)).default([]).describe("Backups that belong to this plan beside those of the schedule; `*` at the end stands for any ending."),
  provenFrom: z.enum(ladder).default("readable").describe("A restore point counts as proven from this state on."),
  acceptPartiallyFailed: z.boolean().default(false).describe("Whether a backup that ended PartiallyFailed may be restored."),
  maxAgeSeconds: seconds.default(86_400).describe("A failover refuses restore points older than this."),
  expiryMarginSeconds: seconds.default(7_200).describe("A restore point must live at least this much longer, so that it does not expire under the restore."),
});

const application = z.strictObject({
  name,
  wave: z.number().int().min(1).max(20).describe("Applications of one wave are restored side by side; the next wave starts when all of them are up."),
  namespaces: z.array(z.string().min(1)).default([]).describe("Namespaces of this application. Empty for one that is only cluster-scoped resources."),
  clusterResources: z.array(z.string().min(1)).default([]).describe("Cluster-scoped kinds to restore with it, as Velero names them: customresourcedefinitions.apiextensions.k8s.io."),
  consumers: z
    .strictObject({
      label: z.string().default("lifeboat.dev/consumer").describe("Workloads whose label of this name is \"true\" do not act before release: they come in suspended or scaled to zero."),
      podSelectors: z.array(z.string().regex(/^[^=]+=[^=]+$/, "must be label=value")).default([]).describe("Labels that the consumers' pods carry: those loose pods are left out of the restore."),
    })
    .prefault({}),
});

/** A signal of the confirmation. Each answers `down`, `up` or `unknown`. */
const signal = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("public-probe"), path: z.string().startsWith("/").default("/healthz") }).describe("The primary's ingress asked over HTTPS from where Lifeboat runs."),
  z.strictObject({ kind: z.literal("backend-probe"), path: z.string().startsWith("/").default("/orders") }).describe("A path that needs the application's own data behind the ingress."),
  z.strictObject({ kind: z.literal("kubernetes-api") }).describe("/readyz of the primary's API server, and its nodes."),
  z.strictObject({ kind: z.literal("resource-health") }).describe("Azure Resource Health of the primary cluster."),
  z.strictObject({ kind: z.literal("traffic-manager") }).describe("What Traffic Manager's own probes say of the primary's endpoint."),
]);

const confirmation = z.strictObject({
  signals: z.array(signal).min(2).max(10),
  agree: z.number().int().min(2).describe("How many signals must say `down` at the same time. `unknown` is not `down`."),
  soakSeconds: seconds.default(60).describe("For how long they must agree without a break before the loss is believed."),
  everySeconds: seconds.default(10).describe("How often all signals are read."),
  giveUpSeconds: seconds.default(900).describe("Not confirmed by then: the run ends `not-failed-over`."),
  timeoutSeconds: z.number().positive().max(30).default(3).describe("How long one reading may take."),
  controls: z.array(z.url()).min(1).describe("Places that must answer: when none of them does, it is we who are cut off, and every reading is `unknown`."),
});

/** What was found when the primary was to be stopped, strongest first. See the words in docs/product.md. */
export const fenceLevels = ["fenced", "self-fenced", "traffic-only"] as const;
export type FenceLevel = (typeof fenceLevels)[number];

const fence = z
  .strictObject({
    enough: z.array(z.enum(fenceLevels)).min(1).describe("Levels that are enough without a person."),
    trafficOnlyBecause: z.string().min(20).optional().describe("Why no client reaches the primary by another way than the public name. Needed where `traffic-only` is enough."),
    suspend: z.array(z.enum(["workloads", "velero", "gitops"])).default(["workloads", "velero", "gitops"]).describe("What is stopped in the primary as far as it can be reached."),
  })
  .refine((f) => !f.enough.includes("traffic-only") || f.trafficOnlyBecause !== undefined, {
    path: ["trafficOnlyBecause"],
    message: "must say why no client reaches the primary by another way, because `traffic-only` is listed in `enough`",
  });

const assertion = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("http"), path: z.string().startsWith("/"), status: z.number().int().default(200), contains: z.string().optional().describe("Text that the answer must hold.") }).describe("Asked through the secondary's own ingress with the public name and its certificate."),
  z.strictObject({ kind: z.literal("workload"), namespace: z.string(), name: z.string(), workload: z.enum(["Deployment", "StatefulSet", "DaemonSet"]) }).describe("All replicas ready."),
  z.strictObject({ kind: z.literal("volume"), namespace: z.string(), claim: z.string() }).describe("The claim is bound, and its data was restored from the chosen point."),
]);

const traffic = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("traffic-manager"),
    profile: resourceId("Microsoft.Network/trafficManagerProfiles"),
    endpoints: z.strictObject({ primary: z.string().min(1), secondary: z.string().min(1) }).describe("Names of the two external endpoints."),
    publicUrl: z.url().describe("The address that users have."),
  }),
  z.strictObject({
    kind: z.literal("dns"),
    recordSet: z.string().regex(/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/dnsZones\/[^/]+\/CNAME\/[^/]+$/i, "must be the full id of a CNAME record set: /subscriptions/…/providers/Microsoft.Network/dnsZones/ZONE/CNAME/NAME"),
    targets: z.strictObject({ primary: z.string().min(1), secondary: z.string().min(1), closed: z.string().min(1).describe("A name that answers nobody: where the record points while the primary is fenced.") }),
    ttlSeconds: z.number().int().min(1).max(300).default(30),
    publicUrl: z.url().describe("The address that users have."),
  }),
]);

const approval = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("automatic"), because: z.string().min(20).describe("Why nobody has to be asked.") }),
  z.strictObject({ mode: z.literal("veto"), windowSeconds: seconds.describe("Goes on when nobody objects within this time.") }),
  z.strictObject({ mode: z.literal("approval"), approvals: z.number().int().min(1).max(5), expiresSeconds: seconds.describe("Ends `declined` when not given within this time.") }),
]);

export const planSchema = z
  .strictObject({
    plan: name.describe("Name of the plan; run ids are made of it: shop-7."),
    about: z.string().optional().describe("One sentence for whoever reads it at 3 a.m."),
    primary,
    secondary,
    storage,
    backups,
    applications: z.array(application).min(1).max(50),
    confirmation,
    approval,
    fence,
    assertions: z.array(assertion).min(1).max(50),
    traffic,
    alerts: z
      .strictObject({ targets: z.array(z.string().min(1)).default([]).describe("Resource ids whose alerts belong to this plan, beside its own cluster and profile.") })
      .prefault({}),
    objectives: z.strictObject({
      rtoSeconds: seconds.describe("Recovery time objective: last good answer to first good answer."),
      rpoSeconds: seconds.describe("Recovery point objective: the loss that is acceptable."),
    }),
    restore: z
      .strictObject({
        deadlineSeconds: seconds.default(3_600).describe("A restore not at its end by then halts the run."),
        stallSeconds: seconds.default(600).describe("No progress for this long halts the run."),
      })
      .prefault({}),
    cooldownSeconds: z.number().int().min(0).default(3_600).describe("After an automatic failover, alerts open no other run for this long."),
  })
  .superRefine((plan, context) => {
    const problem = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    if (plan.primary.name === plan.secondary.name) problem(["secondary", "name"], "must differ from the primary region");
    if (plan.primary.cluster.toLowerCase() === plan.secondary.cluster.toLowerCase()) problem(["secondary", "cluster"], "must differ from the primary cluster");
    if (plan.confirmation.agree > plan.confirmation.signals.length)
      problem(["confirmation", "agree"], `must be at most the number of signals (${plan.confirmation.signals.length})`);
    if (plan.backups.schedule === undefined && plan.backups.names.length === 0)
      problem(["backups"], "must select backups: give `schedule`, `names` or both");
    const kinds = plan.confirmation.signals.map((s) => s.kind);
    kinds.forEach((kind, at) => {
      if (kinds.indexOf(kind) !== at) problem(["confirmation", "signals", at, "kind"], `is listed twice; two readings of one signal are not two witnesses`);
    });
    if (plan.traffic.kind !== "traffic-manager" && kinds.includes("traffic-manager"))
      problem(["confirmation", "signals", kinds.indexOf("traffic-manager"), "kind"], "needs traffic of kind traffic-manager");
    const names = plan.applications.map((a) => a.name);
    names.forEach((n, at) => {
      if (names.indexOf(n) !== at) problem(["applications", at, "name"], "is used twice");
    });
    plan.applications.forEach((a, at) => {
      if (a.namespaces.length === 0 && a.clusterResources.length === 0) problem(["applications", at], "must name namespaces, clusterResources or both");
    });
    if (plan.storage.topology === "replicated") {
      const { source, replica, newBackups } = plan.storage;
      if (source.account.toLowerCase() === replica.account.toLowerCase()) problem(["storage", "replica", "account"], "must differ from the source account");
      if (newBackups.account.toLowerCase() === replica.account.toLowerCase() && newBackups.container === replica.container)
        problem(["storage", "newBackups", "container"], "must differ from the replica's container: the replica stays read-only for ever");
    } else if (plan.storage.newBackups.account.toLowerCase() === plan.storage.account.toLowerCase()) {
      problem(["storage", "newBackups", "account"], "must differ from the shared account: it is not writable while its primary region is lost");
    }
    if (plan.storage.storageLocation === plan.storage.newBackups.storageLocation)
      problem(["storage", "newBackups", "storageLocation"], "must differ from the replica's storage location");
  });

/** A plan as its author writes it. */
export type PlanFile = z.input<typeof planSchema>;
/** A plan with every default filled in. */
export type Plan = z.output<typeof planSchema>;
export type Application = Plan["applications"][number];
export type Signal = Plan["confirmation"]["signals"][number];
export type Assertion = Plan["assertions"][number];
export type Topology = Plan["storage"]["topology"];
