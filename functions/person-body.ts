/** What a person sends to a door: read after it is known who they are, and refused in words. */
import type { HttpResponseInit } from "@azure/functions";
import { z } from "zod";
import { complaintsOf } from "../shared/domain/plan-complaint.ts";
import { problem, readJson } from "./answers.ts";

export type PersonBody<T> = { readonly kind: "read"; readonly value: T } | { readonly kind: "unreadable"; readonly response: HttpResponseInit };

const reasonLength = { least: 3, most: 1_000 } as const;

/** Why somebody does something: it ends in the ledger and in the report. */
export const reason = z
  .string()
  .superRefine((text, context) => {
    const { length } = text.trim();
    if (length >= reasonLength.least && length <= reasonLength.most) return;
    context.addIssue({ code: "custom", message: `must have ${reasonLength.least} to ${reasonLength.most} characters, and has ${length}`, params: { remedy: length < reasonLength.least ? "say why, in a sentence" : "say it in a sentence: it stands in the report" } });
  })
  .describe(`why, in a sentence of ${reasonLength.least} to ${reasonLength.most} characters`);

const problemsMax = 10;

/** 400 with every problem in words, the first ones in `detail`; 413 and 400 as of any JSON body. */
export async function readPersonBody<T>(request: { text(): Promise<string> }, schema: z.ZodType<T>, not: string): Promise<PersonBody<T>> {
  const body = await readJson(request);
  if (body.kind === "unreadable") return body;
  const read = schema.safeParse(body.value);
  if (read.success) return { kind: "read", value: read.data };
  const problems = complaintsOf(read.error, schema, body.value, "the body").map((complaint) => `${complaint.problem}: ${complaint.remedy}`).slice(0, problemsMax);
  return { kind: "unreadable", response: problem(400, not, problems.slice(0, 3).join(". "), { problems }) };
}
