import { expect, test } from "vitest";
import { guarded } from "../../bench/mutation/guarded.ts";
import { mutationRun } from "../../bench/mutation/run.ts";

test("every small change of the gates, the fence, the epoch, approval, abort and takeover is found by a test", { timeout: 240_000 }, async () => {
  const { survived, killed } = await mutationRun(guarded.files, guarded.tests, expect);
  expect(survived.map(({ file, line, was, is }) => `${file}:${line}: ${was} → ${is}`)).toEqual([]);
  expect(killed).toBeGreaterThan(150);
});
