/** Rules that look at several fields of a plan at once. */
import type { z } from "zod";

/** Reports a broken rule: where, what is wrong, and what to do about it. */
export type ReportProblem = (path: readonly (string | number)[], problem: string, remedy: string) => void;

export interface Rule {
  /** Whether the fields that the rule needs are well formed; until then it is silent. */
  readonly applies: (value: unknown) => boolean;
  readonly check: (value: unknown, report: ReportProblem) => void;
}

/** A rule that speaks of values which `needs` accepts, whatever else is in them. */
export function rule<Needed>(needs: z.ZodType<Needed>, check: (value: Needed, report: ReportProblem) => void): Rule {
  return {
    applies: (value) => needs.safeParse(value).success,
    check: (value, report) => check(needs.parse(value), report),
  };
}

/**
 * Adds rules to a schema. Zod holds refinements back while anything in the object is wrong; these speak as soon as the fields they
 * need are well formed, so that an author sees every problem in one go.
 */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule[]): S {
  return rules.reduce<S>(
    (ruled, { applies, check }) =>
      ruled.superRefine(
        (value, context) => check(value, (path, message, remedy) => context.addIssue({ code: "custom", path: [...path], message, params: { remedy } })),
        { when: (payload) => applies(payload.value) },
      ),
    schema,
  );
}
