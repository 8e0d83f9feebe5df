/** The plan of the simulated shop, in the variants that change what a run does. */
import { createHash } from "node:crypto";
import type { Plan, PlanFile } from "../../shared/domain/plan.ts";
import { readPlan } from "../../shared/domain/plan-file.ts";
import { accounts, primary, publicName, secondary, trafficManager } from "../world/pair.ts";
import { schedule } from "./world/backup-files.ts";
import type { Topology } from "./world/pair.ts";

export interface PlanChoice {
  readonly topology: Topology;
  readonly approval: "automatic" | "veto" | "one" | "two";
  /** How many of the five witnesses must agree. */
  readonly agree: 3 | 5;
  /** Whether a closed public endpoint is fence enough without a person. */
  readonly trafficOnly: boolean;
  /** Whether the older point of a shelf loses more than the objective allows; absent: it does not. */
  readonly tight?: boolean;
  /** Whether a lease agent stands in the primary, whose word or silence is fence enough; absent: none. */
  readonly agent?: boolean;
}

export const planName = "shop";
export const vetoSeconds = 60;
export const approvalSeconds = 300;
/** Fewer turns than usual, and a lease that lasts longer than a loss takes to be confirmed: what counts on its end must wait for it. */
export const agentSeconds = { renewSeconds: 30, leaseSeconds: 120, closingSeconds: 40, marginSeconds: 30 } as const;
/** The loss that is acceptable: less than the older point of a shelf loses, or more than any run can make of it. */
export const rpoSeconds = { tight: 4_500, loose: 86_400 } as const;

const approvals: Readonly<Record<PlanChoice["approval"], PlanFile["approval"]>> = {
  automatic: { mode: "automatic", because: "nobody has to be asked in this simulation" },
  veto: { mode: "veto", windowSeconds: vetoSeconds },
  one: { mode: "approval", approvals: 1, expiresSeconds: approvalSeconds },
  two: { mode: "approval", approvals: 2, expiresSeconds: approvalSeconds },
};

const newBackups = { account: accounts.replica.id, container: "velero-neu", storageLocation: "own" };
const storages: Readonly<Record<Topology, PlanFile["storage"]>> = {
  shared: { topology: "shared", account: accounts.shared.id, container: "velero", newBackups },
  replicated: { topology: "replicated", source: { account: accounts.source.id, container: "velero" }, replica: { account: accounts.replica.id, container: "velero" }, newBackups },
};

const fileOf = ({ topology, approval, agree, trafficOnly, tight = false, agent = false }: PlanChoice): PlanFile => ({
  plan: planName,
  primary: { name: primary.region, cluster: primary.cluster.id, ingress: `https://${primary.ingressHost}/` },
  secondary: { name: secondary.region, cluster: secondary.cluster.id, ingress: `https://${secondary.ingressHost}/`, pools: [{ name: "user", nodes: 2 }], storageClasses: ["managed-csi"] },
  storage: storages[topology],
  backups: { schedule },
  applications: [
    { name: "shop-foundation", wave: 1, clusterResources: ["priorityclasses.scheduling.k8s.io"] },
    { name: "shop", wave: 2, namespaces: ["shop"], consumers: { podSelectors: ["app=order-mailer"] } },
  ],
  confirmation: {
    signals: [{ kind: "public-probe", path: "/healthz" }, { kind: "backend-probe", path: "/orders" }, { kind: "kubernetes-api" }, { kind: "resource-health" }, { kind: "traffic-manager" }],
    agree,
    soakSeconds: 40,
    everySeconds: 20,
    giveUpSeconds: 240,
    timeoutSeconds: 3,
    controls: ["https://management.azure.com/", "https://stshopneu.blob.core.windows.net/"],
  },
  approval: approvals[approval],
  fence: {
    enough: ["fenced", ...(agent ? ["self-fenced" as const] : []), ...(trafficOnly ? ["traffic-only" as const] : [])],
    ...(trafficOnly ? { trafficOnlyBecause: "no client knows another way than the public name" } : {}),
    ...(agent ? { agent: agentSeconds } : {}),
  },
  assertions: [
    { kind: "http", path: "/", contains: "EUR" },
    { kind: "http", path: "/orders" },
    { kind: "workload", namespace: "shop", name: "storefront", workload: "Deployment" },
    { kind: "workload", namespace: "shop", name: "orders", workload: "StatefulSet" },
    { kind: "volume", namespace: "shop", claim: "data-orders-0" },
  ],
  traffic: { kind: "traffic-manager", profile: trafficManager.id, endpoints: { primary: "westeurope", secondary: "northeurope" }, publicUrl: `https://${publicName}/` },
  alerts: { targets: [] },
  objectives: { rtoSeconds: 900, rpoSeconds: tight ? rpoSeconds.tight : rpoSeconds.loose },
  cooldownSeconds: 3_600,
});

export interface PlanText {
  readonly text: string;
  readonly plan: Plan;
}

/** A plan as it lies at home. */
export function planText(choice: PlanChoice, about = "simulated"): PlanText {
  const text = JSON.stringify({ ...fileOf(choice), about }); // JSON is YAML
  const known = plans.get(JSON.stringify(choice));
  if (known !== undefined) return { text, plan: known };
  const read = readPlan(text, (whole) => createHash("sha256").update(whole).digest("hex"));
  if (read.kind === "unreadable") throw new Error(`the simulated plan is not valid: ${JSON.stringify(read.problems)}`);
  plans.set(JSON.stringify(choice), read.plan);
  return { text, plan: read.plan };
}

const plans = new Map<string, Plan>();
