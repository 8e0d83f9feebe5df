import { describe, test } from "vitest";
import type { Aks } from "../../shared/ports.ts";

export interface AksStage {
  readonly aks: Aks;
  /** Running, with the pools `user` (2 nodes) and `auto` (autoscaled from 1 to 3). */
  readonly running: string;
  /** Stopped. */
  readonly stopped: string;
}

/** What every Aks must do. Operations end soon on the stage; `poll` waits for them. */
export function aksContract(name: string, open: () => Promise<AksStage>): void {
  describe(`${name} keeps the AKS contract`, () => {
    const poolOf = async ({ aks, running }: AksStage, name: string) => (await aks.read(running)).pools.find((pool) => pool.name === name);

    test("a cluster is read with its power, version and pools", async ({ expect }) => {
      const { aks, running, stopped } = await open();
      const state = await aks.read(running);
      // A speaker that cannot tell says nothing of it.
      expect(state.identity ?? { oidcIssuer: true, workloadIdentity: true }).toEqual({ oidcIssuer: true, workloadIdentity: true });
      expect(state).toMatchObject({ power: "running", provisioning: "Succeeded", kubernetesVersion: expect.stringMatching(/^1\.\d+/) as string });
      expect(state.pools).toContainEqual({ name: "user", count: 2, minCount: null, maxCount: null, autoscaled: false, provisioning: "Succeeded" });
      expect(state.pools).toContainEqual({ name: "auto", count: 1, minCount: 1, maxCount: 3, autoscaled: true, provisioning: "Succeeded" });
      expect((await aks.read(stopped)).power).toBe("stopped");
    });

    test("a stopped cluster is started, a running one left alone; asking twice is asking once", async ({ expect }) => {
      const { aks, running, stopped } = await open();
      await aks.start(running);
      expect(await aks.read(running)).toMatchObject({ power: "running", provisioning: "Succeeded" });
      await aks.start(stopped);
      await aks.start(stopped);
      await expect.poll(async () => (await aks.read(stopped)).power).toBe("running");
    });

    test("a pool is raised to what is asked, and then has enough", async ({ expect }) => {
      const stage = await open();
      expect(await stage.aks.raisePool(stage.running, "user", 4)).toEqual({ kind: "asked" });
      await expect.poll(() => poolOf(stage, "user")).toMatchObject({ count: 4, provisioning: "Succeeded" });
      expect(await stage.aks.raisePool(stage.running, "user", 4)).toEqual({ kind: "enough" });
    });

    test("a pool is never lowered", async ({ expect }) => {
      const stage = await open();
      expect(await stage.aks.raisePool(stage.running, "user", 1)).toEqual({ kind: "enough" });
      expect(await poolOf(stage, "user")).toMatchObject({ count: 2 });
    });

    test("an autoscaled pool is raised by its bounds, the upper one only where it is in the way", async ({ expect }) => {
      const stage = await open();
      expect(await stage.aks.raisePool(stage.running, "auto", 2)).toEqual({ kind: "asked" });
      await expect.poll(() => poolOf(stage, "auto")).toMatchObject({ count: 2, minCount: 2, maxCount: 3, autoscaled: true, provisioning: "Succeeded" });
      expect(await stage.aks.raisePool(stage.running, "auto", 5)).toEqual({ kind: "asked" });
      await expect.poll(() => poolOf(stage, "auto")).toMatchObject({ count: 5, minCount: 5, maxCount: 5, autoscaled: true, provisioning: "Succeeded" });
    });

    test("a pool that is not there is refused for good", async ({ expect }) => {
      const { aks, running } = await open();
      expect(await aks.raisePool(running, "gpu", 1)).toMatchObject({ kind: "refused", why: expect.stringContaining("no such node pool") as string });
    });
  });
}
