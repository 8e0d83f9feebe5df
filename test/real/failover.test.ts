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
import { realRun, realScenario } from "../../lab/run/real-run.ts";
import { type LabResult, type RunningLab, runLab } from "../../lab/run/run-lab.ts";
import { scenarioNamed } from "../../lab/run/scenarios.ts";
import { audiences } from "../../lab/world/identity.ts";
import { secondary } from "../../lab/world/pair.ts";
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
    const { report, failures } = await realLab("region-lost", topology, {
      // Done, and the answer never comes: the Restore must not be made twice.
      onUp: ({ pair }) => void pair.world.inject({ call: "POST velero.io/restores", kind: "effect-without-answer" }),
      async beforeClose({ pair }) {
        const { token } = await pair.people.mint(audiences.aks);
        for (const [method, where] of [["GET", "/api/v1/secrets"], ["DELETE", "/apis/apps/v1/namespaces/shop/deployments/storefront"], ["POST", "/apis/velero.io/v1/namespaces/velero/deletebackuprequests"]] as const) {
          refused.push(await statusOf(`${pair.apiUrl(secondary.region)}${where}`, { method, token, ca: pair.caPem }));
        }
      },
    });
    expect(failures).toEqual([]);
    expect(report).toMatchObject({ outcome: "recovered", topology, observed: { shows: "Night market", writesToPrimary: 0, canary: { equal: true } } });
    expect(report.restorePoint?.volumeBytes).toBeGreaterThan(3_000_000);
    // It has the rights of docs/permissions.md, which were enough, and no others.
    expect(refused).toEqual([403, 403, 403]);
  });

  test("a deleted namespace is recovered in place", async () => {
    const { report, failures } = await realLab("namespace-lost", "replicated");
    expect(failures).toEqual([]);
    expect(report).toMatchObject({ outcome: "recovered", plan: "demo", observed: { shows: "still here" } });
  });

  test("what differs on the restored volume is a failure of the run", async () => {
    let writing: Promise<void> | undefined;
    const { report, failures } = await realLab("region-lost", "replicated", {
      // After the backup: another content than the one that was saved is what the lab holds in its hand.
      onUp: ({ pair }) => {
        const { volumes } = pair.engines[secondary.region];
        const spoilt = setInterval(() => {
          if (pair.clusters[secondary.region].get("v1", "pods", "shop", "orders-0") === null) return;
          writing = volumes?.write("shop", "data-orders-0", "canary.bin", Buffer.from("not what was saved"));
          writing?.catch(() => undefined);
        }, 100);
        pair.world.clock.after(120_000, () => clearInterval(spoilt));
      },
    });
    expect(report).toMatchObject({ outcome: "recovered", observed: { canary: { equal: false } } });
    expect(failures).toEqual([expect.stringContaining("the volume that was restored does not hold what was written before the loss")]);
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
