/** Gives back what was stopped in a cluster, by the undo that is written on each object. */
import type { Plan } from "../domain/plan.ts";
import type { Cluster } from "../ports.ts";
import { placeOf, type Rule, rulesFor } from "./rules.ts";
import { ownUndo, undoDone } from "./undo-note.ts";
import { messageOf, readySeconds, type Task, walk } from "./walk.ts";

export interface Waking {
  readonly plan: Plan;
  readonly open: () => Promise<Cluster>;
  /** For all of it. */
  readonly seconds: number;
  /** Whose closings are given back: those of a run, or of the plan's agent. */
  readonly isOurs: (closer: string) => boolean;
}

/** `left`: what is still suspended, each in words. `no-answer`: nothing was looked at. */
export type Woken = { readonly kind: "walked"; readonly left: readonly string[] } | { readonly kind: "no-answer"; readonly why: string };

/**
 * Newest first. The objects themselves are looked at, because the answer of whoever stopped them may have been lost. What does not answer is
 * told of, not retried for ever.
 */
export async function wake({ plan, open, seconds, isOurs }: Waking): Promise<Woken> {
  const left: string[] = [];
  const wakeAll = (rule: Rule): Task => ({
    about: placeOf(rule),
    async run(cluster, signal) {
      let gone: unknown = null;
      for (const object of (await cluster.list(rule.kind, rule.namespace)) ?? []) {
        signal.throwIfAborted();
        const found = ownUndo(object, plan.plan);
        if (found === null || !isOurs(found.closer)) continue;
        const { namespace = "", name } = object.metadata;
        await cluster.patch(rule.kind, namespace, name, { ...found.undo, ...undoDone }).catch((error: unknown) => {
          left.push(`${rule.kind.plural} ${namespace}/${name} is still suspended (${messageOf(error)})`);
          gone = error;
        });
        // One refusal must not keep the others asleep; a cluster that is gone must not be waited for object by object.
        if (gone !== null && (await cluster.ready(readySeconds)).kind === "no-answer") throw gone;
        gone = null;
      }
    },
  });
  const waking = rulesFor(plan).map((stage) => stage.map((lane) => lane.map(wakeAll).toReversed())).toReversed();
  const walked = await walk(open, waking, seconds);
  if (walked.kind === "no-answer") return walked;
  const { failed, stopped, rest } = walked;
  return { kind: "walked", left: [...left, ...failed.map(({ about, why }) => `what is suspended of ${about} (${why})`), ...(stopped === null ? [] : [`what is suspended of ${rest.join(", ")} (${stopped})`])] };
}
