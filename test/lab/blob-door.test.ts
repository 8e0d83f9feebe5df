import { afterAll, beforeAll, expect, test } from "vitest";
import type { RegisteredPoint } from "../../shared/domain/register.ts";
import { accounts } from "../../lab/world/pair.ts";
import { openStage, patience, type Stage, until } from "./stage.ts";

let stage: Stage;
let source: ReturnType<Stage["container"]>;
let replica: ReturnType<Stage["container"]>;
beforeAll(async () => {
  stage = await openStage({ topology: "replicated", blobPollMs: 10_000 });
  source = stage.container(accounts.source.name, "velero");
  replica = stage.container(accounts.replica.name, "velero");
}, patience.up);
afterAll(() => stage.close(), patience.down);

// Three backups of one schedule, whose volumes share one repository: what happens to that one comes last.
const oldest = "shop-hourly-20261121055809";
const middle = "shop-hourly-20261121055818";
const newest = "shop-hourly-20261121055825";

test("a backup that arrives whole is recorded as whole", { timeout: patience.test }, async () => {
  const { restorePoint } = await arrive(newest, ({ restorePoint: { usable } }) => usable.kind === "usable");
  expect(restorePoint).toMatchObject({ reached: "readable", usable: { kind: "usable" } });
});

test("one blob of the backup is deleted at the replica: what is recorded changes, and names it", { timeout: patience.test }, async () => {
  const blob = `${middle}-volumeinfo.json.gz`;
  expect(await recorded(middle)).toMatchObject({ restorePoint: { reached: "readable", usable: { kind: "usable" } } });
  expect(await replica.delete(`backups/${middle}/${blob}`)).toBe("ok");
  const { restorePoint } = await arrive(middle, unusable);
  expect(reasonOf(restorePoint)).toContain(blob);
});

test("a blob that could not be replicated is recorded as such", { timeout: patience.test }, async () => {
  const blob = `backups/${oldest}/${oldest}.tar.gz`;
  const stop = stage.pair.storage.failReplication(blob);
  expect(await source.put(blob, (await source.get(blob)) ?? new Uint8Array())).toBe("ok");
  const { restorePoint } = await arrive(oldest, unusable);
  stop();
  expect(reasonOf(restorePoint)).toContain(`could not be replicated, the source says so: ${oldest}.tar.gz`);
});

test("a backup that comes again while it is being checked joins the check that there is", { timeout: patience.test }, async () => {
  const release = stage.pair.storage.holdBack(`backups/${newest}/${newest}.tar.gz`);
  for (const file of [`${newest}.tar.gz`, "velero-backup.json"]) await source.put(`backups/${newest}/${file}`, (await source.get(`backups/${newest}/${file}`)) ?? new Uint8Array());
  const checks = async () => (await stage.instances(`replica--shop--${newest}`)).filter(({ runtimeStatus }) => runtimeStatus === "Running");
  const arrivals = () => stage.host.log.filter(({ message }) => message.startsWith("backup.arrived") && message.includes(newest)).length;
  await until("the check to wait for the archive", async () => (await checks()).length > 0);
  const before = await checks();
  const arrived = arrivals();
  await source.put(`backups/${newest}/velero-backup.json`, (await source.get(`backups/${newest}/velero-backup.json`)) ?? new Uint8Array());
  await until("the second arrival", () => Promise.resolve(arrivals() > arrived));
  // The check itself and its wait: an instance each, both from before. It waits on a timer; no activity runs between two looks.
  expect((await checks()).map(({ instanceId }) => instanceId).toSorted()).toEqual(before.map(({ instanceId }) => instanceId).toSorted());
  expect(before.filter(({ name }) => name === "check-replication").map(({ instanceId }) => instanceId)).toEqual([`replica--shop--${newest}`]);
  release();
  await until("the check to end", async () => (await checks()).length === 0);
  expect(await recorded(newest)).toMatchObject({ by: "blob", restorePoint: { reached: "readable", usable: { kind: "usable" } } });
});

test("one blob of the repository is deleted at the replica: what is recorded of the backup changes, and names it", { timeout: patience.test }, async () => {
  const [pack = ""] = (await replica.list("kopia/shop/")).filter((name) => name.startsWith("kopia/shop/p"));
  expect(await recorded(newest)).toMatchObject({ restorePoint: { usable: { kind: "usable" } } });
  expect(await replica.delete(pack)).toBe("ok");
  const { restorePoint } = await arrive(newest, unusable);
  expect(reasonOf(restorePoint)).toContain(pack.slice("kopia/shop/".length));
});

test("a blob that is not a backup is ignored, with a trace", { timeout: patience.test }, async () => {
  await source.put("backups/scribble/velero-backup.json", Buffer.from('{"hello":"world"}'));
  const traces = () => stage.host.log.filter(({ message }) => message.startsWith("backup.ignored") && message.includes("scribble"));
  await until("the trace of the blob that is no backup", () => Promise.resolve(traces().length > 0));
  expect(traces()[0]?.message).toContain("not a backup");
  expect(await recorded("scribble")).toBeUndefined();
  expect((await stage.instances("replica--")).map(({ instanceId }) => instanceId)).not.toContain("replica--shop--scribble");
});

/** Velero writes the metadata of a backup last; written again, the door sees it again. Gives back what it records that is as asked. */
async function arrive(backup: string, asAsked: (point: RegisteredPoint) => boolean): Promise<RegisteredPoint> {
  const metadata = `backups/${backup}/velero-backup.json`;
  const wroteAt = stage.pair.world.clock.now();
  expect(await source.put(metadata, (await source.get(metadata)) ?? new Uint8Array())).toBe("ok");
  let found: RegisteredPoint | undefined;
  await until(`the blob door to look at ${backup}`, async () => {
    const point = await recorded(backup);
    if (point !== undefined && point.by === "blob" && point.checkedAt > wroteAt && asAsked(point)) found = point;
    return found !== undefined;
  });
  // Set, or `until` had thrown.
  return found as RegisteredPoint;
}

const recorded = async (backup: string) => (await stage.app.plan("shop")).register.points[backup];
const unusable = ({ restorePoint: { usable } }: RegisteredPoint) => usable.kind === "unusable";
const reasonOf = ({ usable }: RegisteredPoint["restorePoint"]) => (usable.kind === "unusable" ? usable.reason : "usable");
