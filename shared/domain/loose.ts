/** Values of objects that somebody else wrote: what is not of the shape that is looked for is as if it were not there. */

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}); // narrowed to an object just now
export const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** `null` for the empty text too. */
export const stringOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** The containers of a pod or of a pod template, those that only begin first. */
export function containersOf(pod: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  const spec = recordOf(pod["spec"]);
  return [...arrayOf(spec["initContainers"]), ...arrayOf(spec["containers"])].map(recordOf);
}
