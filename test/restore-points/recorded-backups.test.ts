import { afterAll, beforeAll, describe, test } from "vitest";
import { pagesOf } from "../../functions/activities/restore-points/walk-lists.ts";
import { verifyBackups } from "../../functions/activities/restore-points/verify-backups.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { placesOf } from "../../shared/domain/replica.ts";
import type { RestorePoint } from "../../shared/domain/restore-point.ts";
import { openBackups } from "../../shared/azure/storage.ts";
import type { Backups, BlobPlace } from "../../shared/ports.ts";
import { type AzuriteAccount, openAzuriteAccount } from "../adapters/azurite-account.ts";
import { beginsAt, openStage, protects, recordedBackups, recordedContainer, type Stage } from "./store.ts";

const shopPoints = ["shop-hourly-20261121055825", "shop-hourly-20261121055818", "shop-hourly-20261121055809"];
const reasonOf = ({ usable }: RestorePoint) => (usable.kind === "unusable" ? usable.reason : null);
const ofShop = protects(["shop"], ["*"]);

/** What every recorded backup must be found to be, whatever serves its blobs. */
function verdicts(name: string, look: (change?: (plan: Plan) => Plan) => Promise<{ readonly points: readonly RestorePoint[]; readonly choice: Awaited<ReturnType<typeof verifyBackups>>["choice"] }>): void {
  describe(`the recorded container, ${name}`, () => {
    test("the three points of the schedule are readable, newest first, and the newest is taken", async ({ expect }) => {
      const { points, choice } = await look();
      expect(points.map((point) => [point.name, point.reached, point.usable.kind])).toEqual(shopPoints.map((point) => [point, "readable", "usable"]));
      expect(choice).toMatchObject({ kind: "chosen", point: { name: shopPoints[0], itemCount: 74, takenAt: Date.parse("2026-11-21T05:58:25Z") }, passedOver: [], lossUpperBoundSeconds: 395 });
      expect(points[0]?.volumes).toEqual([
        { namespace: "shop", claim: "data-orders-0", method: "file-system-backup", snapshot: "6ea1de86c211f5058010060bb1db3690", bytes: 2_500_048, restorable: true, why: "" },
      ]);
    });

    test("each backup that a shop plan could meet is passed over for its own reason", async ({ expect }) => {
      const { points } = await look(ofShop);
      const found = Object.fromEntries(points.map((point) => [point.name, reasonOf(point)]));
      expect(Object.keys(found).sort()).toEqual(recordedBackups);
      expect(found).toMatchObject({
        "shop-hourly-20261121055809": null,
        "shop-hourly-20261121055818": null,
        "shop-hourly-20261121055825": null,
        "shop-no-data": expect.stringContaining("the volume data-orders-0 in shop was skipped by the backup (podvolume: opted out due to annotation in pod orders-0; volumeSnapshot") as string,
        everything: expect.stringContaining("the volume data-orders-0 in shop was skipped") as string,
        "orders-hook-fails": expect.stringContaining("ended PartiallyFailed with 2 errors, and the plan accepts no such backup: ") as string,
        "short-lived": expect.stringMatching(/^it expires at 2026-11-21 06:18:54 UTC, which is nearer than the plan's margin/) as string,
        "demo-backup": "it holds nothing of namespace shop, which the plan restores",
        "catalog-1000": "it holds nothing of namespace shop, which the plan restores",
      });
    });

    test("a partly failed backup that the plan accepts is still not whole: its list names a pod that its archive lacks", async ({ expect }) => {
      const { points } = await look(protects(["shop"], ["orders-hook-fails"], { acceptPartiallyFailed: true }));
      expect(reasonOf(points[0] as RestorePoint)).toBe("1 of 58 objects that the backup lists are not in its tarball: v1/Pod shop/orders-0");
    });

    test("volumes of namespaces that the plan does not restore do not spoil its points", async ({ expect }) => {
      const { choice } = await look(protects(["disaster-demo"], ["demo-backup", "everything"]));
      expect(choice).toMatchObject({ kind: "chosen", point: { name: "everything", reached: "readable", volumes: [] } });
    });

    test("a thousand objects in one namespace are whole", async ({ expect }) => {
      const { choice } = await look(protects(["catalog"], ["catalog-*"]));
      expect(choice).toMatchObject({ kind: "chosen", point: { name: "catalog-1000", itemCount: 1_003, reached: "readable" } });
    });
  });
}

verdicts("from memory, on replicated storage", async (change) => {
  const { world, plan } = openStage(change);
  return verifyBackups(world, plan, emptyRegister);
});

verdicts("from memory, on shared storage", async (change) => {
  const { world, plan } = openStage(change, "shared");
  return verifyBackups(world, plan, emptyRegister);
});

describe("over a real blob service", () => {
  let account: AzuriteAccount;
  const containers = { source: "", replica: "" };
  beforeAll(async () => {
    account = await openAzuriteAccount();
    for (const side of ["source", "replica"] as const) {
      containers[side] = await account.container();
      const client = account.blobService.at(account.url).getContainerClient(containers[side]);
      // The repository first, as Velero writes them: on a busy machine the uploads take more than the second that a time in a list is worth.
      for (const folder of ["kopia/", "backups/", "restores/"])
        await Promise.all([...recordedContainer()].filter(([name]) => name.startsWith(folder)).map(([name, { bytes }]) => client.getBlockBlobClient(name).upload(Buffer.from(bytes), bytes.length)));
    }
  });
  afterAll(() => account.close());

  /** The plan's places, led to the one account of the test. Azurite replicates nothing, so its source looks like a geo-redundant account's. */
  const inAzurite = (stage: Stage): Backups => {
    const real = openBackups(account.blobService);
    const { source } = placesOf(stage.plan);
    const to = ({ url }: BlobPlace): BlobPlace => ({ url: account.url, container: url === source.url ? containers.source : containers.replica });
    return { ...real, list: (place, prefix) => real.list(to(place), prefix), pages: (place, prefix) => pagesOf(real, to(place), prefix), folders: (place, prefix) => real.folders(to(place), prefix), read: (place, name, max) => real.read(to(place), name, max), open: (place, name) => real.open(to(place), name) };
  };

  verdicts("from Azurite", async (change) => {
    const stage = openStage(change, "shared");
    return verifyBackups({ ...stage.world, backups: inAzurite(stage) }, stage.plan, emptyRegister);
  });

  test("a blob that is deleted there is missed there", async ({ expect }) => {
    const stage = openStage(undefined, "shared");
    const blob = account.blobService.at(account.url).getContainerClient(containers.replica).getBlockBlobClient("kopia/shop/p5fde7e53759c3424a34983240d26c1b8-sbdd8e9e4e21f10b7147");
    const kept = await blob.downloadToBuffer();
    await blob.delete();
    // Written just now, as far as this account's clock goes: the loss is judged at its time.
    stage.nowAt = Date.now() + 1_000;
    const { points } = await verifyBackups({ ...stage.world, backups: inAzurite(stage) }, stage.plan, emptyRegister);
    await blob.upload(kept, kept.length);
    expect(points.map(({ findings }) => findings.find(({ level }) => level === "L8")?.ok)).toEqual([false, false, false]);
    expect(beginsAt).toBeLessThan(stage.nowAt);
  });
});
