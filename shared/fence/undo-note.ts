/** How to give back what was stopped, written on the object itself: whoever stopped it may never hear of it again. */
import { z } from "zod";
import { planOfRun } from "../domain/run-id.ts";
import type { KubeObject } from "../ports.ts";

/** Merge patch that gives an object back. */
export type Undo = Readonly<Record<string, unknown>>;

const undoAnnotation = "lifeboat.dev/undo";

/** Whose closing it is where the agent in the primary stopped something. No run has such an id. */
export const agentOf = (plan: string): string => `${plan}--agent`;

/** The annotation that says how to give back what `closer` stopped: a run, or the agent of a plan. */
export const undoNote = (closer: string, undo: Undo) => ({ metadata: { annotations: { [undoAnnotation]: JSON.stringify({ run: closer, undo }) } } });
/** Takes the annotation away. */
export const undoDone = { metadata: { annotations: { [undoAnnotation]: null } } } as const;

/** Written by us, on objects that others may write to. */
const note = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(z.object({ run: z.string(), undo: z.record(z.string(), z.unknown()) }));

/** How to give back what was stopped for this plan, and by whom: this run, one that halted before it, or the agent. `null`: nobody did. */
export function ownUndo(object: KubeObject, plan: string): { readonly closer: string; readonly undo: Undo } | null {
  const text = object.metadata.annotations?.[undoAnnotation];
  if (text === undefined) return null;
  const found = note.safeParse(text);
  if (!found.success) return null;
  const { run: closer, undo } = found.data;
  return planOfRun(closer) === plan || closer === agentOf(plan) ? { closer, undo } : null;
}
