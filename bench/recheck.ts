/** What a second look at a container costs in which nothing has changed: the recorded backups in Azurite, every request counted. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { StorageSharedKeyCredential } from "@azure/storage-blob";
import { mergeIntoRegister, readRegister } from "../functions/activities/register.ts";
import { openRecords } from "../functions/activities/restore-points/records.ts";
import { verifyBackups } from "../functions/activities/restore-points/verify-backups.ts";
import { accountKey, startAzurite } from "../lab/azurite.ts";
import { labPlan } from "../lab/run/plans.ts";
import { openBlobService } from "../shared/azure/blob-service.ts";
import { openHome } from "../shared/azure/home-blob.ts";
import { openBackups } from "../shared/azure/storage.ts";
import { openTransport } from "../shared/azure/transport.ts";
import { readPlan } from "../shared/domain/plan-file.ts";
import type { Places } from "../shared/domain/replica.ts";
import type { World } from "../shared/ports.ts";

const account = "benchrecheck";
const containers = { source: "source", replica: "replica", home: "lifeboat" } as const;
const recorded = path.resolve(import.meta.dirname, "../lab/velero-1.18.3");
/** An instant at which the recorded backups are fresh. */
const beginsAt = Date.parse("2026-11-21T06:05:00Z");

export interface Recheck {
  readonly ok: boolean;
  readonly points: number;
  /** Blobs of the replica that a restore may read, and how many its lists gave: one listing gives each once. */
  readonly blobsThere: number;
  readonly blobsListed: number;
  readonly listRequests: { readonly replica: number; readonly source: number };
  readonly downloads: number;
}

export async function recheck(): Promise<Recheck> {
  const azurite = await startAzurite({ accounts: [account] });
  try {
    const asked: { readonly container: string; readonly list: boolean }[] = [];
    const transport = openTransport({});
    const counting: typeof transport = {
      sendRequest(request) {
        const { pathname, searchParams } = new URL(request.url);
        if (request.method === "GET") asked.push({ container: pathname.split("/")[2] ?? "", list: searchParams.get("comp") === "list" });
        return transport.sendRequest(request);
      },
    };
    const service = openBlobService(new StorageSharedKeyCredential(account, accountKey(account)), counting, 60);
    const url = `${azurite.url}/${account}`;
    for (const container of Object.values(containers)) await service.at(url).getContainerClient(container).create();
    const names = (JSON.parse(await readFile(path.join(recorded, "container.listing.json"), "utf8")) as { readonly name: string }[]).map(({ name }) => name);
    // The repository first, as Velero writes them.
    for (const name of [...names].toSorted((a, b) => Number(a.startsWith("backups/")) - Number(b.startsWith("backups/"))))
      for (const container of [containers.source, containers.replica]) await service.at(url).getContainerClient(container).getBlockBlobClient(name).uploadData(await readFile(path.join(recorded, "container", name)));

    const look = await looking(service, url);
    const first = await look();
    asked.length = 0;
    const again = await look();
    const lists = (container: string) => asked.filter((each) => each.list && each.container === container).length;
    const downloads = asked.filter((each) => !each.list && each.container !== containers.home).length;
    const blobsThere = names.filter((name) => name.startsWith("backups/") || name.startsWith("kopia/shop/")).length;
    return { ok: first.points > 0 && again.points === first.points && downloads === 0 && again.blobsListed === blobsThere, points: again.points, blobsThere, blobsListed: again.blobsListed, listRequests: { replica: lists(containers.replica), source: lists(containers.source) }, downloads };
  } finally {
    await azurite.close();
  }
}

/** Looks as the timer does; answers how many points are proven, and how many blobs the replica's lists gave. */
async function looking(service: ReturnType<typeof openBlobService>, url: string) {
  const read = readPlan(await labPlan("shop", "replicated", 443), () => "");
  if (read.kind !== "plan") throw new Error("the example plan cannot be read");
  const { plan } = read;
  const home = openHome(service, { url, container: containers.home });
  const proof = { records: openRecords(home, plan.plan, null), planHash: "bench" };
  const places: Places = { source: { url, container: containers.source }, replica: { url, container: containers.replica }, statusPerBlob: false };
  const real = openBackups(service);
  let blobsListed = 0;
  const backups: World["backups"] = {
    ...real,
    async *pages(place, prefix) {
      for await (const page of real.pages?.(place, prefix) ?? []) {
        const blobs = [...page];
        if (place.container === containers.replica) blobsListed += blobs.length;
        yield blobs;
      }
    },
  };
  const nobody = () => Promise.reject(new Error("nobody should ask"));
  const world = { backups, clock: { now: () => beginsAt }, replication: { lastSync: nobody, policy: nobody, deletePolicy: nobody } };
  return async () => {
    blobsListed = 0;
    const { register } = await verifyBackups(world, plan, await readRegister(home, plan.plan), { proof, places });
    await mergeIntoRegister(home, plan, register, beginsAt);
    return { points: Object.values(register.points).filter(({ restorePoint: { reached, usable } }) => reached === "readable" && usable.kind === "usable").length, blobsListed };
  };
}
