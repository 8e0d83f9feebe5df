/** The part of a plan that speaks of the lease agent in the primary: how long it may be cut off, and what its silence proves. */
import { z } from "zod";
import { seconds } from "./plan-fields.ts";
import { rule, withRules } from "./plan-rule.ts";

/** A lease that one lost renewal ends would close the application for a hiccup. */
const renewalsMin = 3;

export const agent = withRules(
  z.strictObject({
    renewSeconds: seconds.default(10).describe("How often the agent renews its lease, and so how late it may learn that it is to close."),
    leaseSeconds: seconds.default(60).describe("An agent that could not renew for this long closes the application by itself: also when it is the home account that is silent, and the primary is well."),
    closingSeconds: seconds.default(90).describe("From there until the last pod has ended: the longest terminationGracePeriodSeconds, and some more."),
    marginSeconds: seconds.default(60).describe("For clocks that run unequally, and for an agent that has to be started again: one that has never renewed closes after this long."),
    noticeSeconds: seconds.default(900).describe("How long a loss may have gone on before its run begins. An agent whose last renewal lies further back was silent before the loss, and its silence proves nothing."),
    silenceCounts: z.boolean().default(true).describe("Whether a lease that ran out is enough for `self-fenced`: nobody has seen then that the application is closed. `false`: only the agent's own word is."),
  }),
  rule(z.object({ renewSeconds: z.number(), leaseSeconds: z.number() }), ({ renewSeconds, leaseSeconds }, report) => {
    if (leaseSeconds < renewSeconds * renewalsMin)
      report(["leaseSeconds"], `must be at least ${renewalsMin} times renewSeconds, which is ${renewSeconds}`, "raise it, or renew more often: one lost renewal must not close the application");
  }),
);

/** A plan's agent with every default filled in. */
export type AgentTerms = z.output<typeof agent>;
