/** The lab's own story on real Kubernetes and real Velero: what `npm run lab -- --real` does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import https from "node:https";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openReals } from "../../lab/engine/real.ts";
import { clusterClient } from "../../lab/run/cluster-client.ts";
import { killVeleroInRestore } from "../../lab/run/kill-velero.ts";
import { observe } from "../../lab/run/observed.ts";
import { realRun, realScenario } from "../../lab/run/real-run.ts";
import { type LabResult, type RunningLab, runLab } from "../../lab/run/run-lab.ts";
import { scenarioNamed } from "../../lab/run/scenarios.ts";
import { audiences } from "../../lab/world/identity.ts";
import type { ApiObject } from "../../lab/real/api.ts";
import { primary, secondary } from "../../lab/world/pair.ts";
import { processesLeft, processesOf } from "./machine.ts";

const programs = inject("realPrograms");
const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), "lifeboat-run-"));

/** The app as it is now, not as it was built last. */
beforeAll(async () => {
  if (programs === null) return;
  const [code] = (await once(spawn(process.execPath, ["--import", "tsx", "build.ts"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`the app was not built: exit code ${code}`);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Hooks {
  readonly onUp?: (lab: RunningLab) => void;
  readonly beforeClose?: (lab: RunningLab) => Promise<void>;
}

function realLab(scenario: string, topology: "shared" | "replicated", hooks: Hooks = {}): Promise<LabResult> {
  if (programs === null) throw new Error("there are no programs");
  const settings = realRun(openReals({ programs }));
  return runLab({ ...settings, clock: startClock({ startMs: Date.now(), rate: 1 }), scenario: realScenario(scenarioNamed(scenario)), topology, reportDirectory: null, tell: () => undefined, ...hooks });
}

describe.skipIf(programs === null)("on real Kubernetes and real Velero", { timeout: 240_000 }, () => {
  test.each(["replicated", "shared"] as const)("a lost region is recovered on %s storage, with what was on its volume", async (topology) => {
    const refused: number[] = [];
    const spoilt: string[] = [];
    let killed: Promise<string | null> | undefined;
    const { report, failures } = await realLab("region-lost", topology, {
      // Done, and the answer never comes: the Restore must not be made twice.
      async onUp(lab) {
        lab.pair.world.inject({ call: "POST velero.io/restores", kind: "effect-without-answer" });
        // Once on each: a server that ends in the middle, and an import that came before the volumes' list. Velero never looks again at either.
        if (topology === "shared") killed = killVeleroInRestore(lab, "pods", 180_000);
        else await forgetVolumes(lab);
      },
      async beforeClose(lab) {
        const { pair } = lab;
        spoilt.push(...(await failuresOnceSpoilt(lab, topology)));
        const { token } = await pair.people.mint(audiences.aks);
        for (const [method, where] of [["GET", "/api/v1/secrets"], ["DELETE", "/apis/apps/v1/namespaces/shop/deployments/storefront"], ["POST", "/apis/velero.io/v1/namespaces/velero/deletebackuprequests"]] as const) {
          refused.push(await statusOf(`${pair.apiUrl(secondary.region)}${where}`, { method, token, ca: pair.caPem }));
        }
      },
    });
    expect(failures).toEqual([]);
    expect(report).toMatchObject({ outcome: "recovered", topology, observed: { shows: "Night market", writesToPrimary: 0, canary: { equal: true } } });
    expect(report.restorePoint?.volumeBytes).toBeGreaterThan(3_000_000);
    expect((await killed) ?? "nothing").toMatch(topology === "shared" ? /^lifeboat-shop-1-shop/ : /^nothing$/);
    expect(spoilt).toEqual([expect.stringContaining("the volume that was restored does not hold what was written before the loss: its content differs")]);
    // It has the rights of docs/permissions.md, which were enough, and no others.
    expect(refused).toEqual([403, 403, 403]);
  });

  test("a deleted namespace is recovered in place", async () => {
    const { report, failures } = await realLab("namespace-lost", "replicated");
    expect(failures).toEqual([]);
    expect(report).toMatchObject({ outcome: "recovered", plan: "demo", observed: { shows: "still here" } });
  });

  test.each([["SIGINT", [130, null]], ["SIGKILL", [null, "SIGKILL"]]] as const)("ended with %s while it starts, it leaves no process behind", async (signal, ending) => {
    const temporary = mkdtempSync(path.join(scratch, `${signal}-`));
    const child = spawn(process.execPath, ["--import", "tsx", "lab/run/main.ts", "--real", "--json", "--report", path.join(temporary, "report")], { cwd: root, env: { ...process.env, TMPDIR: temporary }, stdio: ["ignore", "pipe", "inherit"], detached: true });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (line.includes("real Velero")) break;
    }
    expect(said.join("\n")).toContain("two real clusters");
    expect(processesOf(temporary).join("\n")).toContain("kube-apiserver");
    const exited = once(child, "exit");
    process.kill(signal === "SIGINT" ? -(child.pid ?? 0) : (child.pid ?? 0), signal);
    expect(await exited).toEqual(ending);
    expect(await processesLeft(temporary, 5)).toEqual([]);
    // Who is asked to stop clears up; who is killed cannot.
    const folders = readdirSync(temporary).filter((name) => name.startsWith("lifeboat-"));
    expect(folders.length > 0).toBe(signal === "SIGKILL");
  });
});

/** What the lab would have said of the same run, had another content come back. */
async function failuresOnceSpoilt(lab: RunningLab, topology: "shared" | "replicated"): Promise<readonly string[]> {
  const { volumes } = lab.pair.engines[secondary.region];
  const place = ["shop", "data-orders-0", "canary.bin"] as const;
  const seen = await lab.app.run("shop-1");
  const digest = await volumes?.digest(...place);
  if (seen?.state !== "ended" || typeof digest !== "string") throw new Error(`there is no canary on ${topology} storage, or no report`);
  await volumes?.write(...place, Buffer.from("not what was saved"));
  return (await observe({ lab, scenario: realScenario(scenarioNamed("region-lost")), report: seen.report, canary: digest })).failures;
}

/** The secondary knows the newest backup, and not its volumes: as Velero's sync imports it before their list has arrived. */
async function forgetVolumes({ pair }: RunningLab): Promise<void> {
  const velero = "/apis/velero.io/v1/namespaces/velero";
  const here = clusterClient(pair, secondary.region);
  const itemsOf = async (cluster: typeof here, plural: string) => ((await cluster.request("GET", `${velero}/${plural}`)).object["items"] ?? []) as readonly ApiObject[];
  const [backup] = await itemsOf(clusterClient(pair, primary.region), "backups");
  if (backup === undefined) throw new Error("the primary has no backup");
  const { name, labels, annotations } = backup.metadata;
  const imported = { apiVersion: "velero.io/v1", kind: "Backup", metadata: { name, namespace: "velero", labels: { ...labels, "velero.io/storage-location": "replica" }, annotations }, spec: { ...(backup["spec"] as object), storageLocation: "replica" }, status: backup.status };
  // The sync itself may have been quicker: then it has the volumes too.
  expect([201, 409]).toContain((await here.request("POST", `${velero}/backups`, imported)).status);
  for (const { metadata } of await itemsOf(here, "podvolumebackups")) await here.request("DELETE", `${velero}/podvolumebackups/${metadata.name}`);
}

function statusOf(url: string, { method, token, ca }: { readonly method: string; readonly token: string; readonly ca: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, ca, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end(method === "POST" ? "{}" : undefined);
  });
}
