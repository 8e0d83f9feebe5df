/**
 * `replica-check`: two containers held against each other, blob by blob. Against a bare listing of both with the SDK, and against rclone, in the
 * same run on the same Azurite; how much memory a million blobs take, from a server that makes them up; what a second look costs; and what is found
 * of the planted defects.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { AccountSASPermissions, BlobServiceClient, generateAccountSASQueryParameters, SASProtocol, StorageSharedKeyCredential } from "@azure/storage-blob";
import { listBothEnds, openSource } from "../functions/activities/restore-points/list-folder.ts";
import { pagesOf } from "../functions/activities/restore-points/walk-lists.ts";
import { accountKey } from "../lab/azurite.ts";
import { openBlobService } from "../shared/azure/blob-service.ts";
import { openBackups } from "../shared/azure/storage.ts";
import { openTransport } from "../shared/azure/transport.ts";
import type { Backups, BlobPlace } from "../shared/ports.ts";
import { allArrived, arrivalOf } from "../shared/domain/replica.ts";
import { detection } from "./detection.ts";
import { startListServer } from "./list-server.ts";
import { recheck } from "./recheck.ts";
import { container, startSeededAzurite } from "./seeded-azurite.ts";

/** Where the service itself is what takes the time, nobody can be so many times as fast as another: then it counts that we wait for nothing else. */
const limits = { timesBareListing: 1.2, timesFasterThanRclone: 5, orTimesServiceAlone: 1.25, growthMB: 50 } as const;
const [source, replica] = ["benchprimary", "benchreplica"] as const;
const rounds = 3;
const rcloneSecondsMax = 300;

export async function replicaCheck(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const server = options.get("server");
  if (server !== undefined) return measuredAlone(server);
  const sizes = options.get("blobs")?.split(",").map(Number) ?? [10_000, 100_000];
  const many = options.get("memory")?.split(",").map(Number) ?? [10_000, 1_000_000];
  const speed = [];
  for (const blobs of sizes) {
    const one = await againstOthers(blobs);
    process.stderr.write(`${JSON.stringify(one)}\n`);
    speed.push(one);
  }
  const memory = [];
  for (const blobs of many) {
    const one = { blobs, ...(await inProcesses(blobs)) };
    process.stderr.write(`${JSON.stringify(one)}\n`);
    memory.push(one);
  }
  const again = await recheck();
  process.stderr.write(`${JSON.stringify(again)}\n`);
  const found = options.get("detection") === "no" ? null : await detection();
  process.stderr.write(`${JSON.stringify(found)}\n`);
  const growthMB = (memory.at(-1)?.residentMB ?? 0) - (memory[0]?.residentMB ?? 0);
  const ok = speed.every(({ timesBareListing, timesFasterThanRclone, timesServiceAlone }) => timesBareListing <= limits.timesBareListing && ((timesFasterThanRclone ?? Number.POSITIVE_INFINITY) >= limits.timesFasterThanRclone || timesServiceAlone <= limits.orTimesServiceAlone)) && growthMB < limits.growthMB && again.ok && found?.ok !== false;
  return {
    ok,
    speed,
    memory,
    growthMB,
    recheck: again,
    detection: found,
    limits,
    grows: "with the pages, not with the blobs: two pages of 5,000 at each end, packed into bytes that are used again, and at most 20,000 blobs that have arrived; the rest is only counted. Blobs that have not arrived are kept too, the first 20,000 to be written",
  };
}

async function againstOthers(blobs: number) {
  const location = await mkdtemp(path.join(tmpdir(), "lifeboat-azurite-"));
  const azurite = await startSeededAzurite([source, replica], blobs, location);
  try {
    const bare: number[] = [];
    const own: number[] = [];
    const service: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(await secondsOf(() => Promise.all([source, replica].map((account) => listed(azurite.url, account)))));
      service.push(await secondsOf(() => Promise.all([source, replica].map((account) => served(azurite.url, account)))));
      own.push(await secondsOf(() => checked(azurite.url, source, replica, new StorageSharedKeyCredential(source, accountKey(source)), blobs)));
    }
    const asItComes = await rcloneSeconds(azurite.url, []);
    const atItsBest = await rcloneSeconds(azurite.url, ["--fast-list", "--checkers", "16"]);
    const [bareSeconds, ownSeconds, serviceSeconds] = [median(bare), median(own), median(service)];
    return {
      blobs,
      ownSeconds,
      bareSeconds,
      serviceSeconds,
      timesServiceAlone: rounded(ownSeconds / serviceSeconds),
      timesBareListing: rounded(ownSeconds / bareSeconds),
      rcloneSeconds: asItComes,
      rcloneFastListSeconds: atItsBest,
      rcloneGivenUpAfterSeconds: rcloneSecondsMax,
      timesFasterThanRclone: asItComes === null ? null : rounded(asItComes / ownSeconds),
    };
  } finally {
    await azurite.close();
    await rm(location, { recursive: true, force: true });
  }
}

/** The same pages of both ends, asked for side by side and thrown away: what the service itself takes, so that nobody is quicker. */
async function served(url: string, account: string): Promise<void> {
  const { searchParams } = new URL(sasUrl(url, account));
  for (let marker: string | null = ""; marker !== null; ) {
    const query = new URLSearchParams([["restype", "container"], ["comp", "list"], ["maxresults", "5000"], ...searchParams, ...(marker === "" ? [] : [["marker", marker] as [string, string]])]);
    const response = await fetch(`${url}/${account}/${container}?${query.toString()}`);
    const page = await response.text();
    if (!response.ok) throw new Error(`a list was refused: ${response.status} ${page.slice(0, 200)}`);
    marker = /<NextMarker>([^<]+)<\/NextMarker>/.exec(page.slice(-2_000))?.[1] ?? null;
  }
}

async function listed(url: string, account: string): Promise<number> {
  let blobs = 0;
  const client = new BlobServiceClient(`${url}/${account}`, new StorageSharedKeyCredential(account, accountKey(account)));
  for await (const _ of client.getContainerClient(container).listBlobsFlat()) blobs += 1;
  return blobs;
}

/** The check of a folder at both ends, as the app makes it, of the whole container. Both accounts are asked with their own keys. */
async function checked(url: string, from: string, to: string, credential: StorageSharedKeyCredential, blobs: number): Promise<void> {
  const transport = openTransport({});
  const own = openBackups(openBlobService(credential, transport, 60));
  const other = openBackups(openBlobService(new StorageSharedKeyCredential(to, accountKey(to)), transport, 60));
  const at = ({ url: account }: BlobPlace) => (account.endsWith(to) ? other : own);
  const backups: Backups = { ...own, list: (place, prefix) => at(place).list(place, prefix), pages: (place, prefix) => pagesOf(at(place), place, prefix) };
  const reach = { backups, clock: { now: () => Date.now() } };
  const places = { source: { url: `${url}/${from}`, container }, replica: { url: `${url}/${to}`, container }, statusPerBlob: false };
  const ends = await listBothEnds(reach, places, openSource(reach, places, true), { folder: "", recorded: null, writeOnce: () => true });
  if (ends.source.kind !== "listed") throw new Error(`the source was not listed: ${ends.source.kind === "unknown" ? ends.source.why : ends.source.kind}`);
  const { blobs: kept, beyond = { arrived: 0, others: 0 } } = ends.source;
  const arrival = arrivalOf(kept, ends.replica.blobs, () => true);
  if (!allArrived(arrival) || arrival.arrived + beyond.arrived !== blobs) throw new Error(`${arrival.arrived + beyond.arrived} of ${blobs} blobs have arrived`);
}

/** `null`: there is no rclone here. One that was given up has the time that it was given: it would have taken longer. */
async function rcloneSeconds(url: string, flags: readonly string[]): Promise<number | null> {
  const env = { PATH: process.env["PATH"], HOME: tmpdir(), ...remote("PRIMARY", url, source), ...remote("REPLICA", url, replica) };
  try {
    return await secondsOf(() => promisify(execFile)("rclone", ["check", `primary:${container}`, `replica:${container}`, "--size-only", ...flags], { env, timeout: rcloneSecondsMax * 1_000 }));
  } catch (error) {
    if ((error as { readonly killed?: boolean }).killed === true) return rcloneSecondsMax;
    process.stderr.write(`rclone ${flags.join(" ")}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}\n`);
    return null;
  }
}

function sasUrl(url: string, account: string): string {
  const sas = generateAccountSASQueryParameters(
    { expiresOn: new Date(Date.now() + 3_600_000), permissions: AccountSASPermissions.parse("rl"), services: "b", resourceTypes: "sco", protocol: SASProtocol.HttpsAndHttp },
    new StorageSharedKeyCredential(account, accountKey(account)),
  );
  return `${url}/${account}?${sas.toString()}`;
}

const remote = (name: string, url: string, account: string): Readonly<Record<string, string>> => ({ [`RCLONE_CONFIG_${name}_TYPE`]: "azureblob", [`RCLONE_CONFIG_${name}_SAS_URL`]: sasUrl(url, account) });

interface Alone {
  readonly residentMB: number;
  readonly heapMB: number;
  readonly seconds: number;
}

/** One process more or less has collected its garbage when it is at its largest: the median of some. */
const processes = 5;

async function inProcesses(blobs: number): Promise<Alone & { readonly all: readonly number[] }> {
  const all: Alone[] = [];
  for (let at = 0; at < processes; at++) all.push(await inItsOwnProcess(blobs));
  const sorted = all.toSorted((a, b) => a.residentMB - b.residentMB);
  const middle = sorted[Math.floor(processes / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return { ...middle, all: sorted.map(({ residentMB }) => residentMB) };
}

async function inItsOwnProcess(blobs: number): Promise<Alone> {
  const server = await startListServer(blobs);
  try {
    return await new Promise<Alone>((resolve, reject) => {
      const child = spawn(process.execPath, ["--import", "tsx", path.join(import.meta.dirname, "main.ts"), "replica-check", "--server", `${blobs}@${server.url}`], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
      child.once("error", reject);
      child.once("exit", (code) => (code === 0 ? resolve(JSON.parse(said.trim().split("\n").at(-1) ?? "") as Alone) : reject(new Error(`it ended with exit code ${code}`))));
    });
  } finally {
    await server.close();
  }
}

/** `1000000@http://127.0.0.1:4321`: what is checked in this process, which does nothing else. */
async function measuredAlone(server: string): Promise<Readonly<Record<string, unknown>>> {
  const [blobs = "", url = ""] = server.split("@");
  const seconds = await secondsOf(() => checked(url, source, replica, new StorageSharedKeyCredential(source, accountKey(source)), Number(blobs)));
  return { residentMB: Math.round(process.resourceUsage().maxRSS / 1024), heapMB: Math.round(process.memoryUsage().heapTotal / 2 ** 20), seconds } satisfies Alone;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return rounded((performance.now() - startedAt) / 1000);
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
