import { describe, expect, test } from "vitest";
import { type Closed, fenceLevel, isEnough, type Quieted } from "../../shared/domain/fence.ts";
import { examplePlan } from "./example-plans.ts";

const closed: Closed = { kind: "closed" };
const open: Closed = { kind: "open", why: "it reads back as open" };
const quiet: Quieted = { kind: "quiet", suspended: [] };
const silent: Quieted = { kind: "unreachable", why: "no answer" };
const partly: Quieted = { kind: "partly", suspended: [], left: ["deployments in shop (forbidden)", "pod shop/orders-0"] };

describe("the level of a fence is what was seen:", () => {
  test.each([
    ["fenced: the cluster answered and stands still", closed, quiet, { kind: "level", level: "fenced", about: "the primary's cluster answered and its workloads, backup schedules, GitOps deployments are stopped; its public endpoint is closed" }],
    ["traffic-only: the cluster does not answer", closed, silent, { kind: "level", level: "traffic-only", about: "the primary's public endpoint is closed; its cluster does not answer: no answer" }],
    ["traffic-only: not all of it stands still", closed, partly, { kind: "level", level: "traffic-only", about: "the primary's public endpoint is closed; not everything in its cluster could be stopped: deployments in shop (forbidden), pod shop/orders-0" }],
    ["none: stopped inside, open outside", open, quiet, { kind: "none", about: "the primary's workloads are stopped, but its public endpoint is not closed: it reads back as open" }],
    ["none: silent and open", open, silent, { kind: "none", about: "the primary's public endpoint is not closed: it reads back as open" }],
    ["none: half stopped and open", open, partly, { kind: "none", about: "the primary's public endpoint is not closed: it reads back as open" }],
  ] as const)("%s", (_, end, inside, found) => {
    expect(fenceLevel(end, inside, ["workloads", "velero", "gitops"])).toEqual(found);
  });

  test("it names what the plan has it stop, and nothing else", () => {
    expect(fenceLevel(closed, quiet, ["workloads"]).about).toContain("its workloads are stopped");
  });
});

test("is enough where the plan lists the level; no level is never enough", () => {
  const { fence } = examplePlan("shop-replicated");
  const only = { ...fence, enough: ["fenced" as const] };
  expect(isEnough(fenceLevel(closed, quiet, fence.suspend), only)).toBe(true);
  expect(isEnough(fenceLevel(closed, silent, fence.suspend), only)).toBe(false);
  expect(isEnough(fenceLevel(closed, silent, fence.suspend), { ...only, enough: ["fenced", "traffic-only"] })).toBe(true);
  expect(isEnough(fenceLevel(open, quiet, fence.suspend), { ...only, enough: ["fenced", "self-fenced", "traffic-only"] })).toBe(false);
});
