/** Keys that are misspelt for certain, and what stands under them: it is read as if the key were right, so that an author sees all in one go. */

type Path = readonly PropertyKey[];

/** A key at a path, and the key that was meant. The path is that of the corrected data. */
export interface Misspelt {
  readonly path: Path;
  readonly written: string;
  readonly meant: string;
}

/** The data with those keys as they were meant. Nothing of the original is changed. */
export function corrected(data: unknown, misspelt: readonly Misspelt[]): unknown {
  return misspelt.reduce<unknown>((value, { path, written, meant }) => replaced(value, path, (parent) => renamed(parent, written, meant)), data);
}

function replaced(value: unknown, [step, ...rest]: Path, change: (parent: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item: unknown, at) => (at === step ? replaced(item, rest, change) : item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]): [string, unknown] => [key, key === step ? replaced(item, rest, change) : item]));
}

function renamed(parent: unknown, written: string, meant: string): unknown {
  if (typeof parent !== "object" || parent === null) return parent;
  return Object.fromEntries(Object.entries(parent).map(([key, item]): [string, unknown] => [key === written ? meant : key, item]));
}

/** Where a path of the corrected data stands in what was written. */
export function asWritten(path: Path, misspelt: readonly Misspelt[]): PropertyKey[] {
  return path.map((step, depth) => misspelt.find(({ path: parent, meant }) => meant === step && parent.length === depth && parent.every((key, at) => key === path[at]))?.written ?? step);
}
