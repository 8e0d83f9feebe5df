/** The candidate that was probably meant, or `null`: near by letters (at most a third of them wrong), without regard to case, `-` and `_`. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, "");
  const given = plain(word.slice(0, 100));
  const [best] = candidates.map((candidate) => ({ candidate, edits: edits(given, plain(candidate)) })).toSorted((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : null;
}

/** How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment). */
function edits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const same = from[i - 1] === to[j - 1];
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1), swapped ? at(beforeLast, j - 2) + 1 : Infinity);
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, to.length);
}

const at = (row: readonly number[], index: number) => row[index] ?? Infinity;
