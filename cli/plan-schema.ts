import { z } from "zod";
import { planSchema } from "../shared/domain/plan.ts";

/** The JSON Schema of a plan file as its author writes it, with defaults, examples and descriptions: `docs/plans/plan.schema.json`. */
export function planSchemaText(): string {
  const schema = z.toJSONSchema(planSchema, { io: "input" });
  return `${JSON.stringify({ title: "Lifeboat plan", ...schema }, null, 2)}\n`;
}
