/** The traffic port: Traffic Manager or plain DNS, as the plan says. */
import type { PlanTraffic, Traffic } from "../ports.ts";
import type { Arm } from "./arm.ts";
import { type DnsPlan, openDns } from "./dns.ts";
import { openTrafficManager, type TrafficManagerPlan } from "./traffic-manager.ts";

/** What both speakers do, each for its own kind of plan. */
export type TrafficOf<P extends PlanTraffic> = { readonly [Act in keyof Traffic]: (traffic: P) => ReturnType<Traffic[Act]> };
type Act = keyof Traffic;

export function openTraffic(arm: Arm): Traffic {
  const trafficManager: TrafficOf<TrafficManagerPlan> = openTrafficManager(arm);
  const dns: TrafficOf<DnsPlan> = openDns(arm);
  const by =
    <A extends Act>(act: A) =>
    (traffic: PlanTraffic): ReturnType<Traffic[A]> => {
      switch (traffic.kind) {
        case "traffic-manager":
          return trafficManager[act](traffic);
        case "dns":
          return dns[act](traffic);
      }
    };
  return { read: by("read"), closePrimary: by("closePrimary"), reopenPrimary: by("reopenPrimary"), openSecondary: by("openSecondary") };
}
