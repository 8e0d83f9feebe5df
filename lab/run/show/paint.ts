/** Colours for a terminal, or none: every word that is painted says the same without. */
export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
const names = Object.keys(codes) as (keyof typeof codes)[];

/** `colours` false: text comes back as it went in. */
export function paintIn(colours: boolean): Paint {
  return Object.fromEntries(names.map((name) => [name, (text: string) => (colours && text !== "" ? `\u001B[${codes[name]}m${text}\u001B[0m` : text)])) as unknown as Paint;
}

export interface ColourQuestion {
  /** `--no-color` was given. */
  readonly refused: boolean;
  readonly isTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The usual order: what was typed, then FORCE_COLOR as Node reads it, then NO_COLOR (no-color.org), then whether anybody sees it. */
export function coloursWanted({ refused, isTerminal, environment }: ColourQuestion): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment;
  if (refused) return false;
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  if (no !== undefined && no !== "") return false;
  return isTerminal && term !== "dumb";
}
