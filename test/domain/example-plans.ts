import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plan } from "../../shared/domain/plan.ts";
import { readPlan } from "../../shared/domain/plan-file.ts";

export const digest = (text: string) => createHash("sha256").update(text).digest("hex");

export type ExampleName = "shop-shared" | "shop-replicated" | "demo";

/** The text of one of the plans in docs/plans. */
export function exampleText(name: ExampleName): string {
  return readFileSync(new URL(`../../docs/plans/${name}.yaml`, import.meta.url), "utf8");
}

/** One of the plans in docs/plans, read as the app reads it. */
export function examplePlan(name: ExampleName): Plan {
  const read = readPlan(exampleText(name), digest);
  if (read.kind === "unreadable") throw new Error(`docs/plans/${name}.yaml: ${JSON.stringify(read.problems)}`);
  return read.plan;
}
