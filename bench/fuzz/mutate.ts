/** Makes garbage out of something that is right: a few changes of a value or of a text, all drawn from one sequence of numbers. */

export type Draw = () => number;

const below = (draw: Draw, limit: number): number => Math.floor(draw() * limit);
const oneOf = <T>(draw: Draw, list: readonly [T, ...T[]]): T => list[below(draw, list.length)] ?? list[0];

/** Values that have surprised readers before. */
const surprises: readonly [() => unknown, ...(() => unknown)[]] = [
  () => null,
  () => "",
  () => 0,
  () => -1,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER + 2,
  () => true,
  () => [],
  () => ({}),
  () => "x".repeat(10_000),
  () => "\u0000\u202e\ud800",
  () => "constructor",
  () => "__proto__",
  () => "../../../etc/passwd",
  () => "2026-11-21T06:05:00Z",
  () => JSON.parse('{"__proto__": {"kind": "approve"}, "constructor": null, "toString": 1}') as unknown,
  () => nested(200),
  () => Array.from({ length: 2_000 }, (_, at) => at),
];

function nested(depth: number): unknown {
  let value: unknown = "deep";
  for (let at = 0; at < depth; at++) value = at % 2 === 0 ? [value] : { in: value };
  return value;
}

type Node = Record<string, unknown>;

/** A copy with one to four changes somewhere in it: a value replaced, a key lost, renamed, doubled or moved. */
export function mutated(value: unknown, draw: Draw): unknown {
  let copy: unknown = copied(value);
  for (let changes = 1 + below(draw, 4); changes > 0; changes--) copy = changedOnce(copy, draw);
  return copy;
}

/** Of what JSON can hold: many times as fast as a structured clone. Own keys stay own, whatever they are called. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value as readonly unknown[], copied);
  if (typeof value !== "object" || value === null) return value;
  const copy: Node = {};
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    const inner = copied((value as Node)[key]);
    if (key === "__proto__") Object.defineProperty(copy, key, { value: inner, enumerable: true, configurable: true, writable: true });
    else copy[key] = inner;
  }
  return copy;
}

function changedOnce(value: unknown, draw: Draw): unknown {
  const holders: Node[] = [];
  collect(value, holders);
  const holder = holders[below(draw, holders.length)];
  if (holder === undefined || draw() < 0.01) return oneOf(draw, surprises)();
  const keys = Object.keys(holder);
  const key = keys[below(draw, keys.length)] ?? "added";
  const set = (name: string, to: unknown): void => void Object.defineProperty(holder, name, { value: to, enumerable: true, configurable: true, writable: true });
  switch (below(draw, 6)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      set(oneOf(draw, ["__proto__", "constructor", "kind", "plan", "KEY", key.toUpperCase(), `${key} `]), holder[key]);
      break;
    case 2:
      set(key, oneOfNode(holders, draw));
      break;
    case 3:
      set(key, typeof holder[key] === "string" ? textMutated(holder[key], draw) : oneOf(draw, surprises)());
      break;
    default:
      set(key, oneOf(draw, surprises)());
  }
  return value;
}

const oneOfNode = (holders: readonly Node[], draw: Draw): unknown => copied(holders[below(draw, holders.length)] ?? null);

/** Every object and list in a value, up to a bound: moved parts may make it grow. */
function collect(value: unknown, into: Node[]): void {
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && into.length < 400) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    into.push(next as Node);
    for (const inner of Object.values(next)) if (typeof inner === "object") waiting.push(inner);
  }
}

/** A text with one to four changes: characters lost, doubled, put in, or a part moved. */
export function textMutated(text: string, draw: Draw): string {
  let changed = text;
  for (let changes = 1 + below(draw, 4); changes > 0; changes--) {
    const at = below(draw, changed.length + 1);
    const length = 1 + below(draw, draw() < 0.1 ? 200 : 8);
    switch (below(draw, 5)) {
      case 0:
        changed = changed.slice(0, at) + changed.slice(at + length);
        break;
      case 1:
        changed = changed.slice(0, at) + changed.slice(at, at + length).repeat(2) + changed.slice(at + length);
        break;
      case 2:
        changed = changed.slice(0, at) + oneOf(draw, ["{", "}", "[", '"', ": ", "\n", "- ", "&a ", "*a", "!!js ", "\t", "\u0000", "\ud800", "0", "-", "<<: ", "? ", "| ", "999999999999", "null"]) + changed.slice(at);
        break;
      case 3: {
        const from = below(draw, changed.length + 1);
        changed = changed.slice(0, at) + changed.slice(from, from + length * 4) + changed.slice(at);
        break;
      }
      default:
        changed = draw() < 0.02 ? changed.slice(0, at) : changed.slice(0, at) + String.fromCharCode(below(draw, 0x2_00)) + changed.slice(at + 1);
    }
    if (changed.length > 300_000) changed = changed.slice(0, 300_000);
  }
  return changed;
}
