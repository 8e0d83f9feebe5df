import { gunzipSync, gzipSync } from "node:zlib";
import { test } from "vitest";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab } from "../../lab/run/run-lab.ts";
import { newestPoint } from "./changes.ts";
import { changeText, rewrite, withoutObject } from "./damage.ts";

const archive = `backups/${newestPoint}/${newestPoint}.tar.gz`;

test("what stands in the archive stands on the page that users see after the failover, byte by byte", { timeout: 120_000 }, async ({ expect }) => {
  const { report, failures } = await runLab({
    ...quickRun,
    topology: "replicated",
    onPair: (pair) => rewrite(pair, archive, (content) => changeText(content, "Last day", "Lost day")),
  });
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ outcome: "recovered", restorePoint: { name: newestPoint }, observed: { shows: "Lost day" } });
});

test("without the shop's ConfigMap in the archive the application is not verified, and no user is sent to it", { timeout: 120_000 }, async ({ expect }) => {
  const { report } = await runLab({
    ...quickRun,
    rate: 100,
    lookEveryMs: 5_000,
    topology: "replicated",
    onPair: async (pair) => {
      await rewrite(pair, archive, (content) => withoutObject(content, /\/configmaps\/(?:v1-preferredversion\/)?namespaces\/shop\/storefront\.json$/));
      // The list beside the archive does not have it either: nothing but the application itself can tell.
      await rewrite(pair, `backups/${newestPoint}/${newestPoint}-resource-list.json.gz`, (content) => gzipSync(JSON.stringify(withoutItem(JSON.parse(gunzipSync(content).toString()) as Record<string, string[]>))));
    },
  });
  expect(report).toMatchObject({ outcome: "halted", restorePoint: { name: newestPoint }, summary: expect.stringMatching(/verify-applications: .*status 503/) as string, traffic: { after: "nobody" } });
});

const withoutItem = (list: Record<string, string[]>) => Object.fromEntries(Object.entries(list).map(([kind, names]) => [kind, kind === "v1/ConfigMap" ? names.filter((name) => name !== "shop/storefront") : names]));
