import { z } from "zod";
import { reason } from "./person-body.ts";

/** What a person sends to answer a question. */
export const decisionBody = z.strictObject({
  about: z.enum(["decision", "fence", "loss"]).default("decision"),
  verdict: z.enum(["approve", "deny"]),
  question: z.string().min(1).max(64).nullable().default(null).describe("the `id` of the question that you were shown"),
  reason,
});
export type DecisionBody = z.output<typeof decisionBody>;
