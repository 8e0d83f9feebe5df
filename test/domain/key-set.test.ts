import fc from "fast-check";
import { test } from "vitest";
import { KeySet } from "../../shared/domain/key-set.ts";

test("has what was put in, once, and nothing else", ({ expect }) => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 3_000 }), fc.array(fc.string({ maxLength: 40 })), (names, others) => {
      const [keys, set] = [new KeySet(), new Set<string>()];
      for (const name of names) {
        expect(keys.add(name)).toBe(!set.has(name));
        set.add(name);
      }
      expect(keys.size).toBe(set.size);
      for (const name of [...names, ...others]) expect(keys.has(name)).toBe(set.has(name));
    }),
    { numRuns: 60 },
  );
});

test("tells half a million names apart that differ in a digit, in a few megabytes", ({ expect }) => {
  const keys = new KeySet();
  const names = 500_000;
  for (let at = 0; at < names; at++) keys.add(`v1/ConfigMap catalog/item-${at}`);
  expect(keys.size).toBe(names);
  let found = 0;
  for (let at = names; at < 2 * names; at++) if (keys.has(`v1/ConfigMap catalog/item-${at}`)) found += 1;
  expect(found).toBe(0);
});
