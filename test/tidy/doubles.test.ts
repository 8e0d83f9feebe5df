import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { doubleProblems } from "./doubles.ts";
import { projectSources, root } from "./source.ts";

const page = readFileSync(new URL("docs/doubles.md", root), "utf8");
const sources = projectSources();

test("docs/doubles.md and the contracts agree", () => {
  expect(doubleProblems(page, sources)).toEqual([]);
});

describe("a planted lie is found:", () => {
  const planted: readonly [string, string, string][] = [
    ["a count that is not theirs", page.replace(/There are \d+ contracts/, "There are 99 contracts"), "the page says 99 contracts"],
    ["a number of real ones that is not theirs", page.replace(/\d+ of them run against/, "99 of them run against"), "the page says that 99 contracts run"],
    ["a contract that is left out", page.replace(/^\| `aksContract`.*\n/m, ""), "aksContract of test/contracts/aks.ts is not in the page's table"],
    ["a contract that is not there", page.replace("| `aksContract` |", "| `skyContract` |"), "the page's table has skyContract"],
    ["a run that is not there", page.replace("`test/adapters/aks.test.ts`", "`test/adapters/traffic.test.ts`"), "aksContract is not run in test/adapters/traffic.test.ts"],
    ["a double that is not there", page.replace("`lab/world/velero`", "`lab/world/restic`"), "names lab/world/restic"],
    ["a double without its limits", page.replace(/## DNS([^]*?)\*\*Not imitated\*\*/, "## DNS$1"), 'the section "DNS" has no **Not imitated**'],
    ["a face that nobody speaks of", page.replace("`lab/faces/storage-front.ts`, ", ""), "lab/faces/storage-front.ts listens"],
  ];
  test.each(planted)("%s", (_what, lie, problem) => {
    expect(doubleProblems(lie, sources)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });

  test("a contract that runs where the page does not say so", () => {
    const stranger = { path: "test/lab/stranger.test.ts", text: 'aksContract("a stranger", open);\n' };
    expect(doubleProblems(page, [...sources, stranger])).toEqual(["aksContract is run in test/lab/stranger.test.ts, and the page does not say so"]);
  });
});
