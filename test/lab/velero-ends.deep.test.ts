import { expect, test } from "vitest";
import type { ApiObject } from "../../lab/real/api.ts";
import { killVeleroInRestore, type RestoreMoment } from "../../lab/run/kill-velero.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab } from "../../lab/run/run-lab.ts";
import { typicalLatencies } from "../../lab/world/latencies.ts";
import { secondary } from "../../lab/world/pair.ts";
import { patience } from "./stage.ts";

// As slow as Velero is: a restore that is over at once has no middle.
const { veleroRestoreItem, veleroRestart, volumeRestore } = typicalLatencies;
const latencies = { ...quickRun.latencies, veleroRestoreItem, veleroRestart, volumeRestore };

test.each([
  ["replicated", "begun"],
  ["shared", "pods"],
] as const)("on %s storage Velero's server ends in the middle of the restore (%s): it is restored again, and its volume with it", { timeout: patience.test }, async (topology, moment: RestoreMoment) => {
  let killed: Promise<string | null> | undefined;
  const ended: string[] = [];
  const { report, failures } = await runLab({
    ...quickRun,
    topology,
    latencies,
    onUp: (lab) => void (killed = killVeleroInRestore(lab, moment, 3_000_000)),
    beforeClose({ pair }) {
      for (const restore of pair.clusters[secondary.region].list("velero.io/v1", "restores", "velero") as readonly ApiObject[]) ended.push(`${restore.metadata.name} ${(restore.status as { phase: string }).phase}`);
    },
  });
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ outcome: "recovered", topology });
  const name = await killed;
  expect(name).not.toBeNull();
  expect(report.checks).toContainEqual({ check: `restore ${name}`, saw: "Velero's server ended in the middle of it; the same was restored again" });
  expect(ended).toContain(`${name} Failed`);
  expect(ended).toContain(`${name}-again2 ${topology === "shared" ? "PartiallyFailed" : "Completed"}`);
});
