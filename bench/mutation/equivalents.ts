/** Mutants that change nothing anybody could see, each with its reason. Whoever adds one says why. */
export const equivalents: readonly { readonly file: string; readonly was: string; readonly is: string; readonly why: string }[] = [];
