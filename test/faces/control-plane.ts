/** A whole control plane on loopback for one test, and what it takes to let a Microsoft client speak to it. */
import type { TokenCredential } from "@azure/identity";
import { onTestFinished } from "vitest";
import { type ArmParts, openArm } from "../../lab/faces/arm.ts";
import { type AccountsOptions, openAccounts } from "../../lab/world/accounts.ts";
import { type AksOptions, openAks } from "../../lab/world/aks.ts";
import { openHealth } from "../../lab/world/health.ts";
import { audiences, type Caller, openIdentity } from "../../lab/world/identity.ts";
import { kubeconfigYaml } from "../../lab/world/kubeconfig.ts";
import { type Latencies, noLatencies } from "../../lab/world/latencies.ts";
import { openTraffic, type Probe } from "../../lab/world/traffic.ts";
import { type LabWorld, openWorld } from "../../lab/world/world.ts";
import { openZones } from "../../lab/world/zones.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { handClock, type HandClock } from "./hand-clock.ts";

export interface Options extends AksOptions, Partial<AccountsOptions> {
  readonly latencies?: Partial<Latencies>;
  readonly probe?: Probe;
}

/** Nothing answers a probe unless the test says so. */
const noProbe: Probe = () => Promise.resolve(false);

export function openParts(options: Options = {}): { readonly world: LabWorld; readonly clock: HandClock; readonly parts: ArmParts } {
  const clock = handClock();
  const world = openWorld(clock, { ...noLatencies, ...options.latencies });
  const traffic = openTraffic(world, options.probe ?? noProbe);
  onTestFinished(() => traffic.close());
  return {
    world,
    clock,
    parts: {
      aks: openAks(world, options),
      accounts: openAccounts(world, { lastSyncAt: () => null, ...options }),
      traffic,
      zones: openZones(world),
      health: openHealth(world),
      identity: openIdentity(world),
      kubeconfig: (region) => kubeconfigYaml(`https://127.0.0.1:6443`, "-----BEGIN CERTIFICATE-----\n", `aks-${region}`),
    },
  };
}

/** `client` is what every `@azure/arm-*` client takes as its options; it retries once, at once. */
export async function openControlPlane(options: Options = {}) {
  const { world, clock, parts } = openParts(options);
  const arm = await openArm(world, parts);
  onTestFinished(() => arm.close());
  const credentialOf = (caller: Caller, audience: (typeof audiences)[keyof typeof audiences] = audiences.arm): TokenCredential => ({
    getToken: async () => {
      const { token, expiresAt } = await parts.identity.mint(audience, caller);
      return { token, expiresOnTimestamp: expiresAt };
    },
  });
  return {
    world,
    clock,
    parts,
    arm,
    credential: credentialOf("actuator"),
    credentialOf,
    client: { httpClient: openTransport({ "management.azure.com": arm.url }), retryOptions: { maxRetries: 1, retryDelayInMs: 10, maxRetryDelayInMs: 20 } },
    /** How often an act became true. */
    effects: (act: string) => world.effects.filter((effect) => effect.act === act),
  };
}
