/**
 * Lets at most `places` pieces of work run at once, the others in the order they came. With one place they run one after another.
 * A piece that fails frees its place and fails its own caller only.
 */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

export function turnstile(places: number): Turnstile {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place goes from hand to hand, so that nobody who comes later slips in between.
      if (next) next();
      else free += 1;
    }
  };
}
