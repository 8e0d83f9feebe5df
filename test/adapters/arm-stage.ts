/** The lab's control plane over HTTP, with the app's own way to it: managed identity, transport, nothing replaced. */
import { openArm, type Arm as ArmFace } from "../../lab/faces/arm.ts";
import { openIdentityFace } from "../../lab/faces/identity.ts";
import { startClock } from "../../lab/clock.ts";
import { openAccounts } from "../../lab/world/accounts.ts";
import { openAks, type AksOptions } from "../../lab/world/aks.ts";
import { openHealth } from "../../lab/world/health.ts";
import { type Identity, openIdentity as openLabIdentity } from "../../lab/world/identity.ts";
import { kubeconfigYaml } from "../../lab/world/kubeconfig.ts";
import { noLatencies } from "../../lab/world/latencies.ts";
import type { RegionName } from "../../lab/world/pair.ts";
import { openTraffic } from "../../lab/world/traffic.ts";
import { openWorld } from "../../lab/world/world.ts";
import { openZones } from "../../lab/world/zones.ts";
import type { Arm } from "../../shared/azure/arm.ts";
import { openIdentity } from "../../shared/azure/identity.ts";
import { openTransport } from "../../shared/azure/transport.ts";

export interface ArmStageOptions {
  readonly aks?: AksOptions;
  /** Server URL and CA of each region's API server; made up where nobody asks it. */
  readonly kubeconfig?: (region: RegionName) => string;
}

export async function openArmStage({ aks: aksOptions, kubeconfig = madeUpKubeconfig }: ArmStageOptions = {}) {
  const world = newWorld();
  const identity = await (signedIn ??= signIn());
  const aks = openAks(world, aksOptions);
  const accounts = openAccounts(world, { lastSyncAt: () => null });
  const traffic = openTraffic(world, () => Promise.resolve(true));
  const zones = openZones(world);
  const health = openHealth(world);
  const face: ArmFace = await openArm(world, { aks, accounts, traffic, zones, health, identity, kubeconfig });
  const hosts = { "management.azure.com": face.url };
  const arm: Arm = { credential: openIdentity({ kind: "managed", clientId: null }), transport: openTransport(hosts), deadlineSeconds: 10 };
  return {
    world,
    identity,
    aks,
    accounts,
    zones,
    health,
    face,
    arm,
    hosts,
    async close() {
      traffic.close();
      await face.close();
    },
  };
}

// Tokens end in lab time and are kept by clients that read the machine's clock: both start together.
const newWorld = () => openWorld(startClock({ startMs: Date.now(), rate: 20 }), noLatencies);

/** The identity library keeps tokens for the whole process, whichever client asks: so all stages of a file have one identity. */
let signedIn: Promise<Identity> | undefined;

async function signIn(): Promise<Identity> {
  const world = newWorld();
  const identity = openLabIdentity(world);
  process.env["IDENTITY_HEADER"] = "made-up-identity-header";
  process.env["IDENTITY_ENDPOINT"] = (await openIdentityFace(world, identity, "made-up-identity-header")).tokenUrl;
  return identity;
}

export type ArmStage = Awaited<ReturnType<typeof openArmStage>>;

const madeUpKubeconfig = (region: RegionName) => kubeconfigYaml(`https://aks.${region}.example.com:443`, "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n");
