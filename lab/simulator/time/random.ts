/** Chance from a seed. Everything in a simulated run that could have been otherwise is drawn here. */
export interface Random {
  /** A fraction from 0 to below 1. */
  next(): number;
  /** A whole number from `from` to `to`, both possible. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  /** Throws when there is nothing to choose from. */
  pick<T>(list: readonly T[]): T;
  /** A source of its own: what is drawn from it does not change what is drawn here. */
  fork(name: string): Random;
}

/** splitmix32 over a 32-bit state: short, even enough, and the same on every machine. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (probability) => next() < probability,
    pick(list) {
      const found = list[Math.floor(next() * list.length)];
      if (found === undefined) throw new Error("there is nothing to choose from");
      return found;
    },
    fork: (name) => randomOf(seed ^ hashOf(name)),
  };
}

/** FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
