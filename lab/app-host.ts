/** The function app on its embedded host, as a process of its own: the bundle that would be deployed, and settings that lead it to the lab. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { LabPair } from "./pair-in-a-box.ts";
import { type HostProcess, startHostProcess, type TimedLogRecord } from "./host/process.ts";
import type { StartFault } from "./host/start-fault.ts";
import { people } from "./world/identity.ts";
import { accounts, blobHost } from "./world/pair.ts";

export interface AppHostOptions {
  readonly pair: LabPair;
  /** Journal, receipts, keys: what outlives the process. */
  readonly stateDirectory: string;
  readonly topology: "shared" | "replicated";
  /** Holds the app as it would be deployed; without it the project's own, built into `dist`. */
  readonly appDirectory?: string;
  /** Pause between two looks of the blob trigger, lab time; the host's own without it. */
  readonly blobPollMs?: number;
  /** When backups are verified, as six fields; the app's own default without it. */
  readonly verificationSchedule?: string;
  /** A start of an orchestration that goes wrong, once. */
  readonly startFault?: StartFault;
  readonly onLog?: (record: TimedLogRecord) => void;
}

/** Where the people's keys are, as an address that the host map leads to the lab. */
const keysHost = "login.microsoftonline.com";
const root = fileURLToPath(new URL("..", import.meta.url));

/** The one function key of the lab. Opens nothing anywhere else. */
export const functionKey = "lab-function-key-opens-nothing-else";

/** The bundle that would be deployed is not there. */
export class AppNotBuilt extends Error {
  override readonly name = "AppNotBuilt";
  constructor() {
    super("the function app is not built: run `npm run build` (`npm run lab` does it by itself)");
  }
}

/** Whether the bundle is there. */
export const appIsBuilt = (appDirectory: string = root): boolean => existsSync(path.join(appDirectory, "dist/functions/index.js"));

/** Where the lab's own certificate authority is written, for whoever wants to trust it. */
export const caFileIn = (stateDirectory: string): string => path.join(stateDirectory, "lab-ca.pem");

/** Starts the host. Fails with what it said when it does not come up, or with `AppNotBuilt`. */
export async function startAppHost({ pair, stateDirectory, topology, appDirectory = root, blobPollMs, verificationSchedule, startFault, onLog }: AppHostOptions): Promise<HostProcess> {
  if (!appIsBuilt(appDirectory)) throw new AppNotBuilt();
  await mkdir(stateDirectory, { recursive: true });
  const caFile = caFileIn(stateDirectory);
  await writeFile(caFile, pair.caPem);
  return startHostProcess({
    appDirectory,
    stateDirectory,
    clock: pair.world.clock.toString(),
    hosts: pair.hosts,
    keys: { functions: { default: functionKey } },
    environment: { ...settings(pair, topology, caFile), ...(verificationSchedule === undefined ? {} : { VERIFICATION_SCHEDULE: verificationSchedule }) },
    ...(blobPollMs === undefined ? {} : { blobPollMs }),
    ...(startFault === undefined ? {} : { startFault }),
    ...(onLog === undefined ? {} : { onLog }),
  });
}

function settings(pair: LabPair, topology: "shared" | "replicated", caFile: string): Record<string, string> {
  const source = topology === "shared" ? accounts.shared.name : accounts.source.name;
  return {
    HOME_STORAGE_URL: `https://${blobHost(accounts.home.name)}`,
    HOME_CONTAINER: "lifeboat",
    PEOPLE_ISSUER: people.issuer,
    PEOPLE_AUDIENCE: people.audience,
    PEOPLE_JWKS_URL: `https://${keysHost}${new URL(pair.identity.keysUrl).pathname}`,
    BACKUP_SOURCES: "ShopBackups",
    ShopBackups__blobServiceUri: `https://${blobHost(source)}`,
    ShopBackups__container: "velero",
    ENDPOINT_HOSTS: JSON.stringify({ ...pair.hosts, [keysHost]: pair.identity.url }),
    DNS_SERVERS: `${pair.dns.address}:${pair.dns.port}`,
    IDENTITY_ENDPOINT: pair.identity.tokenUrl,
    IDENTITY_HEADER: pair.identityHeader,
    // The lab's own certificates, trusted the way Node trusts a company's.
    NODE_EXTRA_CA_CERTS: caFile,
  };
}
