import { expect, test } from "vitest";
import { longestBreak } from "../../lab/run/longest-break.ts";

/** One look a second; `!` is a look that was not answered. */
const looks = (line: string) => Array.from(line, (seen, second) => ({ at: second * 1_000, ok: seen !== "!" }));
const secondsOf = (line: string) => {
  const { lastGood, firstGood } = longestBreak(looks(line));
  return lastGood === null || firstGood === null ? null : (firstGood.at - lastGood.at) / 1_000;
};

test.each([
  ["....!!!!....", 5],
  // Five seconds more of darkness are five seconds more.
  ["....!!!!!!!!!....", 10],
  // The longest counts, whichever came first, and a blink beside it changes nothing.
  [".!..!!!!....!.", 5],
  ["..!!!..!!..", 4],
  // What never came back, or was never there, has no end to measure by.
  ["....!!!!", null],
  ["!!!!....", null],
  ["........", null],
  ["", null],
])("a break is measured from the last good answer to the first good one after it: %s", (line, seconds) => {
  expect(secondsOf(line)).toBe(seconds);
});
