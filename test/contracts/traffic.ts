import { describe, test } from "vitest";
import type { PlanTraffic, Traffic } from "../../shared/ports.ts";

export interface TrafficStage {
  readonly traffic: Traffic;
  /** The primary open, the secondary closed. */
  readonly plan: PlanTraffic;
}

/** What every Traffic must do, whatever kind the plan says. */
export function trafficContract(name: string, open: () => Promise<TrafficStage>): void {
  describe(`${name} keeps the traffic contract`, () => {
    const ends = async ({ traffic, plan }: TrafficStage) => {
      const { primary, secondary } = await traffic.read(plan);
      return { primary: primary.open, secondary: secondary.open };
    };

    test("users are led to the primary, and only there", async ({ expect }) => {
      expect(await ends(await open())).toEqual({ primary: true, secondary: false });
    });

    test("the fence closes the primary and opens nothing; twice is as once", async ({ expect }) => {
      const stage = await open();
      await stage.traffic.closePrimary(stage.plan);
      await stage.traffic.closePrimary(stage.plan);
      expect(await ends(stage)).toEqual({ primary: false, secondary: false });
    });

    test("the fence can be taken back", async ({ expect }) => {
      const stage = await open();
      await stage.traffic.closePrimary(stage.plan);
      await stage.traffic.reopenPrimary(stage.plan);
      await stage.traffic.reopenPrimary(stage.plan);
      expect(await ends(stage)).toEqual({ primary: true, secondary: false });
    });

    test("behind the fence the secondary is opened; twice is as once", async ({ expect }) => {
      const stage = await open();
      await stage.traffic.closePrimary(stage.plan);
      await stage.traffic.openSecondary(stage.plan);
      await stage.traffic.openSecondary(stage.plan);
      expect(await ends(stage)).toEqual({ primary: false, secondary: true });
    });

    test("a fence that comes late does not close the secondary", async ({ expect }) => {
      const stage = await open();
      await stage.traffic.openSecondary(stage.plan);
      await stage.traffic.closePrimary(stage.plan);
      expect(await ends(stage)).toEqual({ primary: false, secondary: true });
    });
  });
}
