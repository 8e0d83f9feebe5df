export interface Break {
  /** The good look before it and the good one after it; null while there is none. */
  readonly lastGood: { readonly at: number } | null;
  readonly firstGood: { readonly at: number } | null;
}

/** The longest break in the answers that an observer saw, in the order in which it looked: what it lasts is the RTO. */
export function longestBreak(looks: readonly { readonly at: number; readonly ok: boolean }[]): Break {
  let worst: { lastGood: { at: number }; firstGood: { at: number } } | null = null;
  let lastGood: { at: number } | null = null;
  let dark = false;
  for (const look of looks) {
    if (!look.ok) {
      dark = true;
      continue;
    }
    if (dark && lastGood !== null && (worst === null || look.at - lastGood.at > worst.firstGood.at - worst.lastGood.at)) worst = { lastGood, firstGood: look };
    lastGood = look;
    dark = false;
  }
  return worst ?? { lastGood: null, firstGood: null };
}
