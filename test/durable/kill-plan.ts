/** The instances of the kill test, and what each must come to. */
export const killPlan: readonly { readonly instanceId: string; readonly name: string; readonly input: unknown; readonly output: number }[] = [
  ...[60, 50, 40, 30].map((length) => ({ name: "chain", input: length, output: length })),
  ...[150, 100, 80].map((width) => ({ name: "fan", input: width, output: (width * (width + 1)) / 2 })),
  ...[30, 25, 20, 15].map((left) => ({ name: "loop", input: { left, total: 0 }, output: left })),
  ...[12, 8, 6].map((count) => ({ name: "retries", input: count, output: count })),
  ...[5, 4, 3].map((depth) => ({ name: "children", input: depth, output: 2 ** depth })),
  ...[25, 20, 15].map((count) => ({ name: "bells", input: count, output: count })),
].map((each, index) => ({ instanceId: `${each.name}-${index}`, ...each }));
