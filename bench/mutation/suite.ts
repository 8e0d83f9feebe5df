/** Stands in vitest's place while tests are bundled for mutants: it gathers them, and the runner calls them. */
import fc from "fast-check";

type Body = (...args: readonly unknown[]) => unknown;

export const suite: { readonly tests: (() => unknown)[]; readonly before: (() => unknown)[] } = { tests: [], before: [] };

export const expect = (globalThis as unknown as { readonly mutationExpect: unknown }).mutationExpect;

// The same values for every mutant, and not too many of them.
fc.configureGlobal({ seed: 20_261_121, numRuns: 30 });

const each =
  (run: (name: string, body: () => unknown) => void) =>
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) run(name, () => (Array.isArray(row) ? body(...(row as unknown[])) : body(row)));
  };

const addTest = (_name: string, body: Body): void => void suite.tests.push(() => body({ expect }));
const group = (_name: string, body: () => unknown): void => void body();

export const test = Object.assign((name: string, ...rest: readonly unknown[]) => addTest(name, rest.findLast((one) => typeof one === "function") as Body), { each: each(addTest) });
export const describe = Object.assign(group, { each: each(group) });
export const beforeAll = (body: () => unknown): void => void suite.before.push(body);
