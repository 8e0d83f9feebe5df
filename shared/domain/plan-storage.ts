/** The storage section of a plan: where the backups lie, in one of the two topologies, and where new ones go after a failover. */
import { z } from "zod";
import { account, container, cron, name, sameId } from "./plan-fields.ts";
import { rule, withRules } from "./plan-rule.ts";

const storageLocation = name.default("replica").describe("Velero's storage location for the replica in the secondary cluster; ReadOnly, there from the beginning.");

const newBackups = z
  .strictObject({
    account,
    container,
    storageLocation: name.default("own").describe("Name of Velero's storage location for them in the secondary cluster."),
    schedule: cron.default("0 * * * *").describe("Cron of the backups that start after a failover, as Velero takes it: five fields, or @hourly, @daily, @every 30m."),
  })
  .describe("Where the first backups of the new active region go: a container of their own, never the replica.");

const twoLocations = rule(z.object({ storageLocation: z.string(), newBackups: z.object({ storageLocation: z.string() }) }), (storage, report) => {
  if (storage.storageLocation === storage.newBackups.storageLocation)
    report(["newBackups", "storageLocation"], "must differ from the replica's storage location", "give it a name of its own, `own` for one");
});

const shared = withRules(
  z.strictObject({
    topology: z.literal("shared"),
    account: account.describe("The one account, RA-GRS or RA-GZRS. Its secondary endpoint is read; it is never failed over on the fast path."),
    container,
    storageLocation,
    newBackups,
  }),
  rule(z.object({ account: z.string(), newBackups: z.object({ account: z.string() }) }), (storage, report) => {
    if (sameId(storage.account, storage.newBackups.account))
      report(["newBackups", "account"], "must differ from the shared account, which takes no writes while its primary region is lost", "name an account in the secondary region");
  }),
  twoLocations,
).describe("One geo-redundant account with read access to its secondary.");

const replicated = withRules(
  z.strictObject({
    topology: z.literal("replicated"),
    source: z.strictObject({ account, container }).describe("Where the primary's Velero writes."),
    replica: z.strictObject({ account, container }).describe("Where Object Replication copies it to. Locked until the policy is deleted."),
    storageLocation,
    newBackups,
  }),
  rule(z.object({ source: z.object({ account: z.string() }), replica: z.object({ account: z.string() }) }), ({ source, replica }, report) => {
    if (sameId(source.account, replica.account))
      report(["replica", "account"], "must differ from the source account", "name the account in the secondary region that Object Replication copies to");
  }),
  rule(
    z.object({ replica: z.object({ account: z.string(), container: z.string() }), newBackups: z.object({ account: z.string(), container: z.string() }) }),
    ({ replica, newBackups }, report) => {
      if (sameId(newBackups.account, replica.account) && newBackups.container === replica.container)
        report(["newBackups", "container"], "must differ from the replica's container, which stays read-only for ever", "give the new backups a container of their own");
    },
  ),
  rule(z.object({ source: z.object({ account: z.string() }), newBackups: z.object({ account: z.string() }) }), ({ source, newBackups }, report) => {
    if (sameId(newBackups.account, source.account))
      report(["newBackups", "account"], "must differ from the source account, which is lost together with the primary region", "name an account in the secondary region; the replica's will do, with another container");
  }),
  twoLocations,
).describe("Two accounts with Object Replication between them.");

export const storage = z.discriminatedUnion("topology", [shared, replicated]);
