/** Rules that look at several fields of a plan at once. */
import type { z } from "zod";

/** Reports a broken rule: where, what is wrong, and what to do about it. */
export type ReportProblem = (path: readonly (string | number)[], problem: string, remedy: string) => void;

/** Silent until the fields that it needs are well formed. */
export type Rule = (value: unknown, report: ReportProblem) => void;

/** A rule that speaks of values which `needs` accepts, whatever else is in them. */
export function rule<Needed>(needs: z.ZodType<Needed>, check: (value: Needed, report: ReportProblem) => void): Rule {
  return (value, report) => {
    const read = needs.safeParse(value);
    if (read.success) check(read.data, report);
  };
}

/**
 * Adds rules to a schema. Zod holds refinements back while anything in the object is wrong; these speak as soon as the fields they
 * need are well formed, so that an author sees every problem in one go.
 */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule[]): S {
  return rules.reduce<S>(
    (ruled, check) =>
      ruled.superRefine(
        (value, context) => check(value, (path, message, remedy) => context.addIssue({ code: "custom", path: [...path], message, params: { remedy } })),
        { when: () => true },
      ),
    schema,
  );
}
