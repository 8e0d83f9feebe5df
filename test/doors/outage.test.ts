/** One lost region, two hundred plans: each has an alert of its own, and all come in the same minute. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Head } from "../../shared/domain/ledger.ts";
import { availabilityFired } from "../domain/alert-samples.ts";
import { doors } from "./stage.ts";

const stage = doors();
const { alert, home, world } = stage;

/** As many activities at once as a host of this app takes. */
const boundIn = (file: string): number => (JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as { readonly extensions: { readonly durableTask: { readonly maxConcurrentActivityFunctions: number } } }).extensions.durableTask.maxConcurrentActivityFunctions;
const names = Array.from({ length: 200 }, (_, nth) => `plan-${String(nth).padStart(3, "0")}`);
const head = (name: string): Head => JSON.parse(home.blobs.get(`ledger/${name}/head.json`)?.body ?? "null") as Head;
const alertOf = (name: string) => ({ ...availabilityFired, data: { ...availabilityFired.data, essentials: { ...availabilityFired.data.essentials, alertId: `/subscriptions/x/alerts/${name}` }, customProperties: { "lifeboat-plan": name } } });

test("an outage of two hundred plans opens a run for each, none lost and none twice, and works them off with no more activities at once than host.json allows", { timeout: 60_000 }, async () => {
  const looks = { now: 0, most: 0, all: 0 };
  // A region that is lost hangs: whoever looks stands for a while, though not for as long as a look may.
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const traffic = { ...world.traffic };
  world.traffic.read = async (asked) => {
    looks.all += 1;
    looks.most = Math.max(looks.most, ++looks.now);
    await Promise.race([released, sleep(3_000)]);
    looks.now -= 1;
    return traffic.read(asked);
  };
  for (const name of names) await stage.putPlan(name);
  // Some notifications come twice, as action groups send them when an answer was slow; all in no order.
  const arriving = [...names, ...names.slice(0, 50)].map((name, nth) => ({ name, at: (nth * 7_919) % 250 })).toSorted((a, b) => a.at - b.at);
  const answers = await Promise.all(arriving.map(async ({ name }) => alert(alertOf(name))));
  expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
  const kinds = answers.flatMap(({ body }) => (body["runs"] as readonly { readonly kind: string }[]).map(({ kind }) => kind));
  expect([kinds.length, kinds.filter((kind) => kind === "opened").length]).toEqual([250, 200]);
  expect(names.filter((name) => head(name).epoch !== 1 || head(name).run?.id !== `${name}-1`)).toEqual([]);
  expect(boundIn("app/host.json")).toBe(boundIn("../../host.json"));
  release();
  // And then every run comes to its first look.
  await expect.poll(() => looks.all, { timeout: 30_000, interval: 100 }).toBeGreaterThanOrEqual(200);
  expect(looks.most).toBeLessThanOrEqual(boundIn("app/host.json"));
  // They did wait for each other.
  expect(looks.most).toBeGreaterThan(boundIn("app/host.json") / 2);
});
