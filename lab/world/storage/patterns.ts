/** A set of blob-name patterns, `backups/shop-*`, that faults are made of: each is put in and taken out by itself. */
export interface Patterns {
  /** `*` stands for any characters, slashes too. Returns what takes this one out again. */
  add(pattern: string): () => void;
  match(name: string): boolean;
}

export function patterns(): Patterns {
  const held = new Set<RegExp>();
  return {
    add(pattern) {
      const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", ".*")}$`, "s");
      held.add(expression);
      return () => void held.delete(expression);
    },
    match: (name) => [...held].some((expression) => expression.test(name)),
  };
}
