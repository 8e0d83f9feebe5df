import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { functionKey } from "../../lab/app-host.ts";
import { accountKey } from "../../lab/azurite.ts";
import { frontBlobStores } from "../../lab/faces/front-blob-store.ts";
import { quickRun } from "../../lab/run/quick.ts";
import { runLab, type RunningLab } from "../../lab/run/run-lab.ts";
import { accounts, blobHost } from "../../lab/world/pair.ts";

/** What would open something: tokens of Entra's form, signatures of storage, and what this lab was given. */
const secretsOf = (lab: RunningLab): readonly (readonly [name: string, pattern: RegExp])[] => [
  ["a token", /eyJ[\w-]{10,}\.[\w-]{10,}/],
  ["an authorization header", /\bBearer [\w-]{8,}|SharedKey \w+:/],
  ["a shared access signature", /[?&]sig=/],
  ["a function key", new RegExp(functionKey)],
  ["the identity header", new RegExp(lab.pair.identityHeader)],
  ...Object.values(accounts).map(({ name }): readonly [string, RegExp] => [`the key of ${name}`, new RegExp(escaped(accountKey(name)))]),
];
const escaped = (text: string): string => text.replaceAll(/[^\w-]/g, String.raw`\$&`);

/** Everything that the app leaves behind: what it wrote at home, what its host journals, what it answers. */
async function leftBehind(lab: RunningLab): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const home = frontBlobStores(lab.pair.frontUrl)({ url: `https://${blobHost(accounts.home.name)}`, container: "lifeboat" });
  for (const name of await home.list("")) texts.set(`home: ${name}`, Buffer.from((await home.get(name)) ?? []).toString("utf8"));
  for (const file of await readdir(lab.stateDirectory, { recursive: true, withFileTypes: true })) {
    // The host's own keys are kept where the host keeps them.
    if (file.isFile() && !/keys|\.pem$/.test(file.name)) texts.set(`journal: ${file.name}`, await readFile(path.join(file.parentPath, file.name), "latin1"));
  }
  texts.set("answer: plan", JSON.stringify(await lab.app.plan("shop")));
  texts.set("answer: run", JSON.stringify(await lab.app.run("shop-1")));
  return texts;
}

test("no secret is left in the ledger, the reports, the histories, the log or an answer, whatever failed on the way", { timeout: 120_000 }, async () => {
  const log: string[] = [];
  let texts: ReadonlyMap<string, string> = new Map();
  let secrets: ReturnType<typeof secretsOf> = [];
  const { report } = await runLab({
    ...quickRun,
    topology: "replicated",
    onLog: (record) => void log.push(JSON.stringify(record)),
    // Of each kind of service a call that fails: their errors are what is written down.
    onUp: ({ pair }) => {
      for (const call of ["GET *", "PUT *", "PATCH *", "POST *"]) pair.world.inject({ call, kind: "refused-503", times: 3 });
      for (const call of ["PATCH trafficManagerProfiles*", "GET managedClusters*"]) pair.world.inject({ call, kind: "effect-without-answer", times: 1 });
    },
    async beforeClose(lab) {
      secrets = secretsOf(lab);
      texts = await leftBehind(lab);
    },
  });
  expect(report.runId).toBe("shop-1");
  const all = [...texts, ["log", log.join("\n")] as const];
  // What is looked through is there: a search in nothing finds nothing.
  for (const kind of ["home: ledger/shop/", "home: reports/", "journal: ", "answer: run"]) expect(all.some(([name, text]) => name.startsWith(kind) && text.length > 200), kind).toBe(true);
  expect(log.length).toBeGreaterThan(20);
  const found = all.flatMap(([where, text]) => secrets.filter(([, pattern]) => pattern.test(text)).map(([name, pattern]) => `${name} in ${where}: ${pattern.exec(text)?.[0].slice(0, 12)}…`));
  expect(found).toEqual([]);
  // And each pattern finds its secret.
  const planted = `eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4eXoifQ Bearer abcdefgh12 https://a/b?se=1&sig=x ${functionKey} ${Object.values(accounts).map(({ name }) => accountKey(name)).join(" ")}`;
  expect(secrets.filter(([name, pattern]) => name !== "the identity header" && !pattern.test(planted)).map(([name]) => name)).toEqual([]);
});
