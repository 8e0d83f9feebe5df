/** Include and exclude lists of names, as Velero reads them: `*` stands for everything, and inside a name for anything. */

export interface NameFilter {
  includes(name: string): boolean;
  /** Nothing is left out, whatever there is. */
  readonly everything: boolean;
}

/** No includes: all that is not excluded. */
export function nameFilter(included: readonly string[] = [], excluded: readonly string[] = []): NameFilter {
  const all = included.length === 0 || included.includes("*");
  const wanted = included.map(patternOf);
  const unwanted = excluded.map(patternOf);
  return {
    everything: all && excluded.length === 0,
    includes: (name) => !unwanted.some((pattern) => pattern.test(name)) && (all || wanted.some((pattern) => pattern.test(name))),
  };
}

const patternOf = (glob: string) => new RegExp(`^${glob.replaceAll(/[.+^${}()|[\]\\?]/g, String.raw`\$&`).replaceAll("*", ".*")}$`);

/** What Velero has against a pair of lists; empty: nothing. */
export function filterProblems(included: readonly string[] = [], excluded: readonly string[] = []): string[] {
  const problems: string[] = [];
  if (included.length > 1 && included.includes("*")) problems.push("includes list must either contain '*' only, or a non-empty list of items");
  if (excluded.includes("*")) problems.push("excludes list cannot contain '*'");
  for (const name of excluded) if (included.includes(name)) problems.push(`excludes list cannot contain an item in the includes list: ${name}`);
  return problems;
}
