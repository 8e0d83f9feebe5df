/** The kinds of value that fields of a plan hold. Messages follow the name of the field: "`plan` must be …". */
import { z } from "zod";
import { readCron } from "./plan-cron.ts";

export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and hyphens, because it becomes part of object names in Azure and Kubernetes")
  .meta({ examples: ["shop"] });

/** Whole seconds, up to a year: more is a slip of the unit. */
export const seconds = z.number().int().min(1).max(31_536_000).meta({ examples: [3600] });

/** Only HTTPS: what is asked over plain HTTP can be answered by anybody on the way. */
export const httpsUrl = z
  .url({ protocol: /^https$/, error: "must be an address that begins with https://" })
  .superRefine((url, context) => {
    if (/^[^/?#]*\/\/[^/?#]*@/.test(url)) context.addIssue({ code: "custom", message: "holds a user name or a password", params: { remedy: "leave it out: plans are read by many, and nothing here signs in that way" } });
  })
  .meta({ examples: ["https://shop.example.com/"] });

/** What a namespace may be called: an RFC 1123 label (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/). */
export const namespace = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a namespace: 1 to 63 lower-case letters, digits and hyphens")
  .meta({ examples: ["shop"] });

/** What a workload or a claim may be called: an RFC 1123 subdomain. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, "must be the name of an object in Kubernetes: lower-case letters, digits, hyphens and dots")
  .meta({ examples: ["storefront"] });

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const labelPart = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const labelKeyPattern = `([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${labelPart}`;

/** The key of a label, with or without a prefix. */
export const labelKey = z
  .string()
  .regex(new RegExp(`^${labelKeyPattern}$`), "must be the key of a label: up to 63 letters, digits, `-`, `_` and `.`, behind `prefix/` if it has one")
  .meta({ examples: ["lifeboat.dev/consumer"] });

/** One label with its value. */
export const labelSelector = z
  .string()
  .regex(new RegExp(`^${labelKeyPattern}=${labelPart}$`), "must be label=value, both of letters, digits, `-`, `_` and `.`")
  .meta({ examples: ["app=order-mailer"] });

/** When Velero makes backups. */
export const cron = z
  .string()
  .superRefine((text, context) => {
    const read = readCron(text);
    if (read.kind !== "cron") context.addIssue({ code: "custom", message: read.kind === "never" ? "never comes: no month has that day" : read.why, params: { remedy: "write a cron as Velero takes it, `0 * * * *` for every full hour, or `@every 30m`" } });
  })
  .meta({ examples: ["0 * * * *"] });

/** A path on an ingress. */
export const urlPath = z.string().startsWith("/", "must begin with /").meta({ examples: ["/healthz"] });

/** A pattern for text in any case, without the flag for it: JSON Schema, which editors read, has no flags. */
export const anyCase = (text: string): string => text.replaceAll(".", String.raw`\.`).replaceAll(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);

/** One step of an id: what would end or change a URL is refused. */
export const segment = String.raw`[^/?#%\s]+`;

/** The full ARM id of a resource of one type. Azure writes ids in any case, so they are read and compared without it. */
export const resourceId = (type: string, name = segment, example = "shop") =>
  z
    .string()
    .regex(
      new RegExp(`^/${anyCase("subscriptions")}/${segment}/${anyCase("resourceGroups")}/${segment}/${anyCase("providers")}/${anyCase(type)}/${name}$`),
      `must be the full id of a resource of type ${type}: /subscriptions/…/resourceGroups/…/providers/${type}/…`,
    )
    .meta({ examples: [`/subscriptions/0f5c9a3e-1111-4a4a-9b9b-000000000001/resourceGroups/rg-shop/providers/${type}/${example}`] });

export const cluster = resourceId("Microsoft.ContainerService/managedClusters").describe("Resource id of the AKS cluster.");
export const account = resourceId("Microsoft.Storage/storageAccounts").describe("Resource id of the storage account.");
export const container = z
  .string()
  .regex(/^[a-z0-9](-?[a-z0-9]){2,62}$/, "must be the name of a blob container: 3 to 63 lower-case letters, digits and single hyphens")
  .meta({ description: "Name of the blob container.", examples: ["velero"] });

/** Whether two resource ids name the same thing. */
export const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
