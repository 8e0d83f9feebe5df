/** What the lease agent proves and what it does not, in a region that is cut off and lives on: the app as it would be deployed, the agent's own code, the world as judge. */
import { expect, test } from "vitest";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab, type LabRunOptions, type RunningLab } from "../../lab/run/run-lab.ts";
import { scenarioNamed } from "../../lab/run/scenarios.ts";
import { primary } from "../../lab/world/pair.ts";
import { patience } from "./stage.ts";

const timeout = 3 * patience.test;
const rules = ["nothing of the application runs in the primary when the first restore is made", "nothing of the application runs in the primary when the secondary is opened"];

/** At a rate at which the lease is seconds of ours. */
const play = (more: Partial<LabRunOptions> & Pick<LabRunOptions, "topology">) => runLab({ ...quickRun, rate: 20, scenario: scenarioNamed("region-cut-off"), ...more });

const replicas = ({ pair }: RunningLab): number | undefined => (pair.clusters[primary.region].get("apps/v1", "deployments", "shop", "storefront") as { spec?: { replicas?: number } } | null)?.spec?.replicas;

async function untilLab({ pair: { world } }: RunningLab, so: () => Promise<boolean> | boolean, about: string): Promise<void> {
  for (const giveUpAt = world.clock.now() + 3_600_000; !(await so()); await world.clock.sleep(2_000)) if (world.clock.now() > giveUpAt) throw new Error(`it never came to this: ${about}`);
}

/** A person at the app's HTTP door. */
async function post(lab: RunningLab, role: "approver" | "operator", path: string, body: unknown): Promise<void> {
  const token = await lab.pair.people.mintPerson({ name: "Grace", roles: [role] });
  const { status } = await fetch(`${lab.host().url}/api/runs/shop-1/${path}`, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body) });
  if (status !== 202) throw new Error(`${path}: ${status}`);
}

const openRun = async ({ app }: RunningLab) => {
  const seen = await app.run("shop-1").catch(() => null);
  return seen?.state === "open" ? seen.run : null;
};

test("an agent that reaches home says that it has closed, and is believed at once", { timeout }, async () => {
  const { report, failures } = await play({ topology: "shared", agent: { reachesHome: true } });
  expect(failures).toEqual([]);
  expect(report.fence).toEqual({ level: "self-fenced", about: expect.stringContaining("says that it has stopped the application there") as string });
});

test("one that had ended before the loss proves nothing: a person is asked, and whoever goes on goes on over a primary that runs", { timeout }, async () => {
  let asked = "";
  const { report, failures } = await play({
    topology: "shared",
    changePlan: (plan) => quickRun.changePlan(plan).replace(/leaseSeconds: 240/, "leaseSeconds: 240\n    noticeSeconds: 60"),
    async onUp(lab) {
      await lab.agent?.stop();
      await lab.pair.world.clock.sleep(120_000);
      void (async () => {
        await untilLab(lab, async () => (await openRun(lab))?.question?.about === "fence", "a person is asked");
        const { question } = (await openRun(lab)) ?? {};
        asked = question?.text ?? "";
        await post(lab, "approver", "decisions", { about: "fence", question: question?.id, verdict: "approve", reason: "nobody reaches it" });
      })();
    },
  });
  expect(asked).toContain("silent before the loss was noticed");
  expect(report.fence?.level).toBe("forced by Grace");
  // The lab sees what the app did not claim.
  expect(failures.map((failure) => failure.split(":")[0])).toEqual(["the primary is self-fenced by its agent", ...rules]);
});

test("one that stands still at the loss is believed to have closed, which it has not; when it goes on it closes before anything else", { timeout }, async () => {
  let before: number | undefined;
  const { report, failures } = await play({
    topology: "replicated",
    onUp: (lab) => lab.agent?.pause(),
    async beforeClose(lab) {
      before = replicas(lab);
      lab.agent?.resume();
      await untilLab(lab, () => replicas(lab) === 0, "it closes");
    },
  });
  expect(report.fence?.about).toContain("which nobody has seen");
  // The hole that docs/decisions/0014-lease-agent.md names, and the lab finds.
  expect(failures.map((failure) => failure.split(":")[0])).toEqual(rules);
  expect(before).toBe(5);
});

test("an abort takes the wish back, and the agent opens again what it closed, while nobody else reaches its cluster", { timeout }, async () => {
  let closed: number | undefined;
  let after: number | undefined;
  const { report } = await play({
    topology: "shared",
    agent: { reachesHome: true },
    scenario: { ...scenarioNamed("region-cut-off"), ends: "aborted" },
    onUp(lab) {
      void (async () => {
        await untilLab(lab, async () => (await openRun(lab))?.phases.some(({ phase }) => phase === "make-ready") === true, "the fence is behind it");
        closed = replicas(lab);
        await post(lab, "operator", "abort", { reason: "enough" });
      })();
    },
    beforeClose: (lab) => void (after = replicas(lab)),
  });
  expect([report.outcome, closed, after]).toEqual(["aborted", 0, 5]);
  expect(report.summary).not.toContain("the agent in the primary");
});
