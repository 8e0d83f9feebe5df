/** The example plans of docs/plans, as the lab uploads them: the same text, with the lab's port in its addresses and a control target that the lab has. */
import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { controlName } from "../world/pair.ts";

export type Topology = "shared" | "replicated";

const folder = new URL("../../docs/plans/", import.meta.url);

/** With a lease agent in the primary, and no failover on anything less than its word or its silence. A busy machine of ours may stand still for seconds, which are minutes of the lab. */
export function withAgent(plan: string): string {
  const document = parseDocument(plan);
  document.setIn(["fence", "enough"], ["fenced", "self-fenced"]);
  document.deleteIn(["fence", "trafficOnlyBecause"]);
  document.setIn(["fence", "agent"], { renewSeconds: 10, leaseSeconds: 240 });
  return document.toString();
}

/** `shop` on either topology, or `demo` on the storage of that topology. */
export async function labPlan(plan: "shop" | "demo", topology: Topology, port: number): Promise<string> {
  const document = parseDocument(await readFile(new URL(plan === "shop" ? `shop-${topology}.yaml` : "demo.yaml", folder), "utf8"));
  if (plan === "demo" && topology === "shared") document.set("storage", parseDocument(await readFile(new URL("shop-shared.yaml", folder), "utf8")).get("storage"));
  // What is asked in production at the public endpoints has no certificate here; the lab has a neutral place of its own.
  document.setIn(["confirmation", "controls"], [`https://${controlName}/`]);
  return document.toString().replaceAll(/https:\/\/([a-z.]*example\.com)\//g, `https://$1:${port}/`);
}
