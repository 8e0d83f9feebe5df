/** The report, held against what an independent client saw: their ends must be the same end, and the page must be the one of the chosen point. */
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import type { Observed, Report } from "../../shared/domain/report.ts";
import { appliedTwice, brokenAfterFailover, brokenFenceWithin, type FenceSeen } from "../checks.ts";
import { frontBlobStores } from "../faces/front-blob-store.ts";
import { accounts, blobHost, primary, regions, secondary, type RegionName } from "../world/pair.ts";
import type { LabResult, RunningLab } from "./run-lab.ts";
import type { Scenario } from "./scenarios.ts";
import { overlooked } from "../looks.ts";
import { readCanary } from "./canary.ts";
import { longestBreak } from "./longest-break.ts";
import { shownBy } from "./shown.ts";
import { lacking } from "./whole-report.ts";

export interface ObserveInput {
  readonly lab: RunningLab;
  readonly scenario: Scenario;
  readonly report: Report;
  /** Digest of what was written to the shop's volume before the loss; `null`: nothing was. */
  readonly canary?: string | null;
  /** What ran in the primary as the secondary was filled and opened; not given: nobody was to fence it from within. */
  readonly fenceSeen?: FenceSeen;
}

/** How far the app's first green probe and the observer's first good answer may be apart: a name's TTL at a resolver, and both their paces. */
const togetherMsMax = 45_000;
/** And how far a busy machine may set them apart, wall milliseconds: at a high rate that is minutes of theirs. */
const busyMsMax = 2_000;

export async function observe({ lab, scenario, report, canary: written = null, fenceSeen }: ObserveInput): Promise<LabResult> {
  const { pair, observer } = lab;
  const wanted: RegionName = scenario.loss.kind === "region" || scenario.loss.kind === "nothing" ? secondary.region : primary.region;
  const failures: string[] = [];
  if (report.outcome !== scenario.ends) failures.push(`the run ended ${report.outcome}, and ${scenario.name} must end ${scenario.ends}: ${report.summary}`);
  if ((scenario.heldBack.length > 0 || scenario.alsoBackups.length > 0) && report.passedOver.length === 0) failures.push(`${scenario.name} has a newer restore point that must not be taken, and the report does not say why it was passed over`);

  // Whatever the app says, users must be served again, from the region that the scenario leaves.
  const answering = await observer.until(({ ok, address }) => ok && address === regions[wanted].ingressAddress, 120_000, `an answer from ${wanted}`).catch((error: Error) => {
    failures.push(error.message);
    return null;
  });
  const { lastGood, firstGood } = longestBreak(observer.looks);
  const shows = answering === null ? null : shownBy(answering.body);
  const disagrees: string[] = [];
  if (report.restorePoint !== null && shows !== null && report.outcome === "recovered") {
    const expected = await shownIn(pair, report.restorePoint.name, scenario);
    if (shows !== expected) disagrees.push(`the page shows "${shows}", and ${report.restorePoint.name} holds "${expected}"`);
  }
  const opened = report.acts.find(({ step }) => step === "seen-from-outside");
  if (opened !== undefined && firstGood !== null && Math.abs(Date.parse(opened.at) - firstGood.at) > togetherMsMax + busyMsMax * pair.world.clock.rate + lab.restartingMs())
    disagrees.push(`the report has the first green probe at ${opened.at}, the observer its first good answer at ${new Date(firstGood.at).toISOString()}`);

  const { effects } = pair.world;
  failures.push(...appliedTwice(effects).map(({ act, key, times }) => `${act} of ${key} became true ${times} times`));
  if (report.kind === "failover" && report.outcome === "recovered") {
    // What these look for is the shop's.
    if (scenario.plan === "shop") failures.push(...[...brokenAfterFailover(pair), ...overlooked(pair.world, pair.topology, report)].map(({ rule, found }) => `${rule}: ${found}`));
    if (fenceSeen !== undefined) failures.push(...brokenFenceWithin(report.fence?.level ?? "none", fenceSeen).map(({ rule, found }) => `${rule}: ${found}`));
    failures.push(...lacking(report));
  }
  const canary = written !== null && wanted === secondary.region && report.outcome === "recovered" ? await readCanary(pair, written) : null;
  if (canary !== null && !canary.equal) failures.push(`the volume that was restored does not hold what was written before the loss: ${canary.after === null ? "the file is not there" : "its content differs"}`);
  const writes = writesAfterFence(lab, report);
  if (writes > 0) disagrees.push(`the primary accepted ${writes} writes after it was fenced`);
  const observed: Observed = {
    by: "an independent client",
    lastGoodAt: lastGood === null ? null : new Date(lastGood.at).toISOString(),
    firstGoodAt: firstGood === null ? null : new Date(firstGood.at).toISOString(),
    rtoSeconds: lastGood === null || firstGood === null ? null : Math.round((firstGood.at - lastGood.at) / 100) / 10,
    shows,
    writesToPrimary: writes,
    rate: pair.world.clock.rate,
    ...(canary === null ? {} : { canary }),
    disagrees,
  };
  return { report: { ...report, rtoSeconds: observed.rtoSeconds, observed }, failures: [...failures, ...disagrees] };
}

/** Counted by the world, which sees every write that the application in the primary takes. */
function writesAfterFence({ pair }: RunningLab, report: Report): number {
  const fenced = report.steps.find(({ name }) => name === "fence");
  if (fenced?.endedAt == null) return 0;
  const from = Date.parse(fenced.endedAt);
  return pair.world.effects.filter(({ act, key, at }) => act === "app.write-accepted" && key === primary.region && at > from).length;
}

/** What the page must show if that point was restored: read from the backup itself, past everything that restored it. */
async function shownIn(pair: RunningLab["pair"], point: string, { plan, loss }: Scenario): Promise<string> {
  const here = loss.kind === "namespace";
  const endpoint = pair.topology === "shared" ? (here ? accounts.shared.name : `${accounts.shared.name}-secondary`) : here ? accounts.source.name : accounts.replica.name;
  const store = frontBlobStores(pair.frontUrl)({ url: `https://${blobHost(endpoint)}`, container: "velero" });
  const archive = await store.get(`backups/${point}/${point}.tar.gz`);
  if (archive === null) return `nothing: ${point} is not at ${endpoint}`;
  const [file, field] = plan === "shop" ? ["resources/configmaps/namespaces/shop/storefront.json", "banner"] : ["resources/configmaps/namespaces/disaster-demo/page.json", "index.html"];
  const object = JSON.parse((await entryOf(archive, file)) ?? "{}") as { data?: Record<string, string> };
  const value = object.data?.[field] ?? "";
  return plan === "shop" ? value : shownBy(value);
}

async function entryOf(archive: Uint8Array, name: string): Promise<string | null> {
  const entries = extract();
  entries.end(gunzipSync(archive));
  let found: string | null = null;
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.name === name) found = Buffer.concat(chunks).toString();
  }
  return found;
}
