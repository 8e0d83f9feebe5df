import { expect, test } from "vitest";
import { coalesced } from "../../functions/coalesce.ts";

/** A call that ends when told. */
function slow() {
  const ends: ((answer: number) => void)[] = [];
  const fails: ((error: Error) => void)[] = [];
  const ask = coalesced(
    () =>
      new Promise<number>((resolve, reject) => {
        ends.push(resolve);
        fails.push(reject);
      }),
  );
  return { ask, ends, fails };
}

/** Everything that can go on without the call has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("who asks during a call shares the next one, never the one that began before", async () => {
  const { ask, ends } = slow();
  const first = ask();
  const second = ask();
  const third = ask();
  expect(ends).toHaveLength(1);
  ends[0]?.(1);
  expect(await first).toBe(1);
  await settled();
  expect(ends).toHaveLength(2);
  ends[1]?.(2);
  expect([await second, await third]).toEqual([2, 2]);
  const fourth = ask();
  expect(ends).toHaveLength(3);
  ends[2]?.(3);
  expect(await fourth).toBe(3);
});

test("a call that fails fails those who share it, and no one after", async () => {
  const { ask, ends, fails } = slow();
  const first = ask();
  const second = ask();
  fails[0]?.(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await settled();
  ends[1]?.(2);
  expect(await second).toBe(2);
});
