import { expect, test } from "vitest";
import { damageOf } from "../../shared/domain/damage.ts";

const nodes = (states: string) => states.split(" ").map((state) => ({ zone: state[0] === "-" ? "" : `westeurope-${state[0] ?? ""}`, ready: state[1] === "+" }));

test.each([
  ["nothing is broken", "1+ 2+ 3+", null],
  ["nothing is left: that is the cluster's loss", "1- 2- 3-", null],
  ["a node of a zone that has others", "1+ 1- 2+ 3+", { kind: "node", about: "1 of 4 nodes are not Ready, in no zone all of them" }],
  ["the only node of a zone is the zone", "1- 2+ 3+", { kind: "zone", about: "no node of westeurope-1 is Ready; 2 of 3 nodes are" }],
  ["two zones of three", "1- 1- 2- 3+", { kind: "zone", about: "no node of westeurope-1, westeurope-2 is Ready; 1 of 4 nodes are" }],
  ["a cluster without zones loses nodes", "-+ --", { kind: "node", about: "1 of 2 nodes are not Ready, in no zone all of them" }],
] as const)("%s", (_, states, damage) => {
  expect(damageOf(nodes(states))).toEqual(damage);
});
