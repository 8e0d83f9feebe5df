/** A set of names that is asked and never listed: sixteen to thirty-two bytes for each, where a set of strings takes a hundred and more. */

/** What is asked of it; a `Set` of strings does too. */
export interface Keys {
  readonly size: number;
  has(key: string): boolean;
}

/**
 * Keeps 64 bits of each name. That a name which is not in it seems to be has, with two million names, a chance of one in ten million
 * million for each question; whoever made names on purpose to that end is found by the digests of the manifest.
 */
export class KeySet implements Keys {
  size = 0;
  /** Two words for each place; both zero: it is free. At most half full, so that a look ends soon. */
  private table = new Uint32Array(2 * 1_024);

  /** `false`: it was there already. */
  add(key: string): boolean {
    const [high, low] = wordsOf(key);
    const at = this.place(high, low);
    if (this.holds(at)) return false;
    this.table[at] = high;
    this.table[at + 1] = low;
    this.size += 1;
    if (this.size * 4 > this.table.length) this.grow();
    return true;
  }

  has(key: string): boolean {
    const [high, low] = wordsOf(key);
    return this.holds(this.place(high, low));
  }

  private holds(at: number): boolean {
    return this.table[at] !== 0 || this.table[at + 1] !== 0;
  }

  /** Where it is, or where it would be. */
  private place(high: number, low: number): number {
    const { table } = this;
    let at = (low * 2) % table.length;
    while (this.holds(at) && (table[at] !== high || table[at + 1] !== low)) at = (at + 2) % table.length;
    return at;
  }

  private grow(): void {
    const before = this.table;
    this.table = new Uint32Array(before.length * 2);
    for (let from = 0; from < before.length; from += 2) {
      const [high = 0, low = 0] = before.subarray(from, from + 2);
      if (high === 0 && low === 0) continue;
      const at = this.place(high, low);
      this.table[at] = high;
      this.table[at + 1] = low;
    }
  }
}

/** Two hashes of a name that have nothing to do with each other: multiply and mix, as murmur does, from two seeds. */
function wordsOf(key: string): readonly [number, number] {
  let one = 0x9e3779b9;
  let other = 0x85ebca6b;
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    one = Math.imul(one ^ unit, 0xcc9e2d51);
    one = (one << 15) | (one >>> 17);
    other = Math.imul(other ^ unit, 0x1b873593);
    other = (other << 13) | (other >>> 19);
  }
  return [finished(one ^ key.length), finished(other + key.length) || 1];
}

function finished(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
