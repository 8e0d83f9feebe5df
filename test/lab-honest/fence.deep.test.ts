/** A failover by hand while the primary lives: nothing is lost, so what keeps two regions from taking writes is the fence alone. */
import https from "node:https";
import { test } from "vitest";
import { takenOut } from "../../bench/step-out.ts";
import { appliedTwice } from "../../lab/checks.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab, type RunningLab } from "../../lab/run/run-lab.ts";
import type { Scenario } from "../../lab/run/scenarios.ts";
import { primary } from "../../lab/world/pair.ts";
import { changes, hitEach } from "./changes.ts";

const byHand: Scenario = { ...quickRun.scenario, loss: { kind: "nothing" } };

/** A client that knows the primary's own address and writes there, whatever the name says, until the run is over. */
function writeToPrimary({ pair }: RunningLab) {
  const seen = { accepted: 0, refused: 0 };
  const agent = new https.Agent({ keepAlive: true });
  const over = new AbortController();
  const post = () =>
    new Promise<void>((resolve) => {
      const request = https.request(
        { host: primary.ingressAddress, port: pair.port, path: "/orders", method: "POST", servername: primary.ingressHost, headers: { host: primary.ingressHost }, ca: pair.caPem, agent, timeout: 1_000 },
        (response) => {
          if (response.statusCode === 201) seen.accepted += 1;
          else seen.refused += 1;
          response.resume().once("end", resolve);
        },
      );
      request.once("error", () => resolve());
      request.end("a loaf\n");
    });
  const writing = (async () => {
    while (!over.signal.aborted) {
      await post();
      await pair.world.clock.sleep(20 * pair.world.clock.rate);
    }
  })();
  const stop = async () => {
    over.abort();
    await writing;
    agent.destroy();
  };
  return { seen, stop };
}

test("who writes to the primary directly is refused from the fence on, though every answer to the fence is lost once", { timeout: 120_000 }, async ({ expect }) => {
  let writer: ReturnType<typeof writeToPrimary> | null = null;
  let asked: () => ReadonlySet<string> = () => new Set();
  let replicas: readonly unknown[] = [];
  let paused: unknown;
  let twice: readonly unknown[] = [];
  const { report, failures } = await runLab({
    ...quickRun,
    topology: "replicated",
    scenario: byHand,
    onUp: (lab) => {
      writer = writeToPrimary(lab);
      // And the first backup of the new region, which lost-answers.test.ts does not come to: its import is hit before.
      asked = hitEach(lab, "effect-without-answer", ({ primaryAlive, name }) => primaryAlive === true || name === "create a backup");
    },
    beforeClose: async ({ pair }) => {
      await writer?.stop();
      const west = pair.clusters[primary.region];
      const workloads = [...west.list("apps/v1", "deployments", "shop"), ...west.list("apps/v1", "statefulsets", "shop")] as readonly { readonly spec?: { readonly replicas?: number } }[];
      replicas = workloads.map(({ spec }) => spec?.replicas);
      paused = (west.get("velero.io/v1", "schedules", "velero", "shop-hourly") as { spec?: { paused?: boolean } } | null)?.spec?.paused;
      twice = appliedTwice(pair.world.effects);
    },
  });
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ outcome: "recovered", fence: { level: "fenced" }, observed: { writesToPrimary: 0 } });
  expect(writer).toMatchObject({ seen: { accepted: expect.toSatisfy((count: number) => count > 0) as number, refused: expect.toSatisfy((count: number) => count > 0) as number } });
  expect({ replicas, paused, twice }).toEqual({ replicas: [0, 0, 0], paused: true, twice: [] });
  expect([...asked()]).toEqual(expect.arrayContaining(changes.filter(({ primaryAlive }) => primaryAlive).map(({ name }) => name)));
});

test("without the step that quiets the primary its writes are counted, and the run is not believed", { timeout: 120_000 }, async ({ expect }) => {
  let writer: ReturnType<typeof writeToPrimary> | null = null;
  const { noticed } = await takenOut("quietPrimary", {
    scenario: byHand,
    onUp: (lab) => void (writer = writeToPrimary(lab)),
    beforeClose: () => writer?.stop(),
  });
  expect(noticed).toContainEqual(expect.stringMatching(/the primary accepted [1-9]\d* writes after it was fenced/));
});
