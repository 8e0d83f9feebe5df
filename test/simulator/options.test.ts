import { expect, test } from "vitest";
import { optionsOf, usage } from "../../lab/simulator/options.ts";

test("without anything two hundred seeds are played; what is asked for is taken", () => {
  expect(optionsOf([])).toEqual({ what: "seeds", runs: 200, seed: 1, twiceEvery: 50, every: 1, nth: 1, cores: undefined, driver: "bare", deep: false, real: false, write: false });
  expect(optionsOf(["--runs", "2000", "--driver", "sdk", "--twice-every", "1"])).toMatchObject({ what: "seeds", runs: 2_000, driver: "sdk", twiceEvery: 1 });
  expect(optionsOf(["--seed", "7", "--trace"])).toMatchObject({ what: "trace", seed: 7 });
});

test.each([
  [["--runs", "0"], "--runs must be a whole number above 0, and is 0"],
  [["--seed", "1.5", "--trace"], "--seed must be a whole number above 0, and is 1.5"],
  [["--cores", "two"], "--cores must be a whole number above 0, and is two"],
  [["--driver", "bear"], "--driver is bare, the simulator's own player, or sdk, the real library"],
  [["--matrix", "--pairs"], "one of --matrix and --pairs at a time"],
  [["--pairs", "--every", "4", "--nth", "5"], "--nth 5 is more than --every 4"],
  [["--bogus"], "Unknown option '--bogus'"],
  [["seeds"], "Unexpected argument 'seeds'"],
])("%j is refused with what is wrong and where to look", (args, why) => {
  const refused = optionsOf(args);
  expect(refused).toMatchObject({ wrong: true });
  expect("say" in refused ? refused.say : "").toContain(why);
  expect("say" in refused ? refused.say : "").toContain("--help");
});

test("--help says what there is, and each option of it is one", () => {
  expect(optionsOf(["--help"])).toEqual({ say: usage, wrong: false });
  for (const [option] of usage.matchAll(/--[a-z-]+/g)) {
    const taken = [["--help", "--real", "--deep", "--trace", "--matrix", "--pairs", "--faults", "--write"].includes(option) ? [option] : [option, option === "--driver" ? "sdk" : "1"]].flat();
    expect(optionsOf(taken), option).not.toMatchObject({ wrong: true });
  }
});
