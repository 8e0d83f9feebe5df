import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { floorProblems } from "./tidy/floors.ts";
import { opensSecondary } from "./tidy/opens-secondary.ts";
import { fileProblems, mayBeLong } from "./tidy/rules.ts";
import { blanked, importsOf, projectSources, root } from "./tidy/source.ts";

const sources = projectSources();

describe("the house", () => {
  test("is looked at whole", () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["shared/domain/plan.ts", "shared/ports.ts", "cli/index.ts", "lab/clock.ts", "test/tidy.test.ts"]));
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(sources.length);
  });

  test("imports go down the floors only", () => {
    expect(sources.flatMap(floorProblems)).toEqual([]);
  });

  test("no file is too long, reads settings by itself, or does in a runbook what cannot be replayed", () => {
    expect(sources.flatMap(fileProblems)).toEqual([]);
    expect(mayBeLong).toEqual([]);
  });
});

describe("users are sent to the secondary in one place", () => {
  test("no code names `openSecondary` but its declaration, its adapters, what watches over leave, and the one activity", () => {
    expect(sources.flatMap(opensSecondary).toSorted()).toEqual([
      "functions/activities/index.ts: openSecondary, the work of its step",
      "functions/activities/leave.ts: traffic.openSecondary(…), behind leave to act",
      "functions/activities/open-secondary.ts: traffic.openSecondary(…), behind the traffic point of no return",
      "orchestrations/failover.ts: steps.openSecondary",
      "orchestrations/steps.ts: the step",
      "shared/azure/dns.ts: the adapter",
      "shared/azure/traffic-manager.ts: the adapter",
      "shared/azure/traffic.ts: the adapter",
      "shared/ports.ts: the port",
    ]);
  });

  test.each([
    ["functions/activities/fence-primary.ts", "await world.traffic.openSecondary(plan.traffic);"],
    ["functions/triggers/runs-asked.ts", 'await world.traffic["openSecondary"](plan.traffic);'],
    ["orchestrations/recover.ts", "yield* desk.run(steps.openSecondary, {});"],
    ["functions/activities/open-secondary.ts", "await world.traffic.openSecondary(plan.traffic);\nconst passed = await pass(\"traffic\", duty);"],
    ["functions/activities/open-secondary.ts", "const { openSecondary: open } = world.traffic;"],
  ])("a planted way around it is found: %s with %j", (path, text) => {
    expect(opensSecondary({ path, text })).toEqual([expect.stringContaining("MUST NOT")]);
  });
});

describe("a planted offence against the floors is found:", () => {
  test.each([
    ["shared/domain/a.ts", 'import { x } from "../ports.ts";'],
    ["shared/domain/a.ts", 'import { createHash } from "node:crypto";'],
    ["shared/domain/a.ts", 'import { Cron } from "croner";'],
    ["shared/ports.ts", 'import type { A } from "./azure/aks.ts";'],
    ["shared/ports.ts", 'export * from "../orchestrations/steps.ts";'],
    ["shared/azure/a.ts", 'const x = await import("../../functions/app.ts");'],
    ["shared/kubernetes/a.ts", 'import { BlobClient } from "@azure/storage-blob";'],
    ["shared/azure/a.ts", 'import type { KubeConfig } from "@kubernetes/client-node";'],
    ["orchestrations/a.ts", 'import type {\n  World,\n} from "../shared/ports.ts";'],
    ["orchestrations/a.ts", 'import { readFileSync } from "node:fs";'],
    ["orchestrations/failover.ts", 'import * as df from "durable-functions";'],
    ["functions/triggers/a.ts", 'import { openAks } from "../../shared/azure/aks.ts";'],
    ["functions/activities/a.ts", 'import { BlobClient } from "@azure/storage-blob";'],
    ["functions/ledger.ts", 'import { registerApp } from "./app.ts";'],
    ["functions/index.ts", 'import { startClock } from "../lab/clock.ts";'],
    ["cli/a.ts", 'import { registerApp } from "../functions/app.ts";'],
    ["cli/a.ts", 'import { app } from "@azure/functions";'],
    ["lab/a.ts", 'import { planted } from "../test/a.ts";'],
    ["lab/a.ts", 'import { own } from "./b";'],
    ["shared/ports.ts", 'import { own } from "./domain/plan.js";'],
    ["tools/a.ts", ""],
  ])("%s with %j", (path, text) => {
    expect(floorProblems({ path, text })).toEqual([expect.stringContaining(path)]);
  });

  test("and what the floors allow is not", () => {
    const allowed: [string, string][] = [
      ["shared/domain/a.ts", 'import { z } from "zod"; import { parseDocument } from "yaml"; import { b } from "./b.ts";'],
      ["shared/azure/a.ts", 'import { x } from "../ports.ts"; import { BlobClient } from "@azure/storage-blob"; import http from "node:http";'],
      ["orchestrations/runbook.ts", 'import * as df from "durable-functions"; import type { Plan } from "../shared/domain/plan.ts";'],
      ["functions/triggers/a.ts", 'import { app } from "@azure/functions"; import { steps } from "../../orchestrations/steps.ts"; import type { World } from "../../shared/ports.ts";'],
      ["functions/index.ts", 'import { azureWorld } from "../shared/azure/world.ts"; import { registerApp } from "./app.ts";'],
      ["lab/a.ts", 'import { BlobClient } from "@azure/storage-blob"; import { registerApp } from "../functions/app.ts";'],
      ["test/a.ts", 'import manifest from "../package.json"; import { own } from "../lab/a.ts";'],
      ["shared/domain/b.ts", '// import { x } from "../ports.ts";\n/* import "node:fs"; */\nconst text = `import("node:fs")`.length;'.replace("`import(\"node:fs\")`", "'import node:fs'")],
    ];
    expect(allowed.flatMap(([path, text]) => floorProblems({ path, text }))).toEqual([]);
  });
});

describe("a planted offence within a file is found:", () => {
  test.each([
    ["shared/azure/a.ts", "const home = process.env.HOME;", ":1:"],
    ["functions/app.ts", "\nconst { argv, env } = process;", ":2:"],
    ["functions/app.ts", "\n\nconst home = process['env'].HOME;", ":3:"],
    ["functions/triggers/a.ts", "x\n".repeat(401), "401 lines"],
    ["orchestrations/a.ts", "const now = new Date();", ":1:"],
    ["orchestrations/a.ts", "const now = new Date;", ":1:"],
    ["orchestrations/a.ts", "const now = Date();", ":1:"],
    ["orchestrations/a.ts", "async function wait() {}", ":1:"],
    ["orchestrations/a.ts", "const wait = async () => {};", ":1:"],
    ["orchestrations/a.ts", "const wait = async x => x;", ":1:"],
    ["orchestrations/a.ts", "const desk = { async wait() {} };", ":1:"],
    ["orchestrations/a.ts", "// a comment\nawait wait;", ":2:"],
    ["shared/domain/a.ts", "const at = Date.now();", ":1:"],
    ["shared/domain/a.ts", "const seed = Math.random();", ":1:"],
  ])("%s with %j", (path, text, place) => {
    const [problem, ...others] = fileProblems({ path, text });
    expect(problem).toContain(path);
    expect(problem).toContain(place);
    expect(others).toEqual([]);
  });

  test("and what only looks like one is not", () => {
    const innocent: [string, string][] = [
      ["functions/index.ts", "const config = readConfig(process.env);"],
      ["lab/a.ts", "const home = process.env.HOME;"],
      ["shared/azure/a.ts", "const text = 'process.env'; // process.env\nconst pattern = /process.env/;"],
      ["orchestrations/a.ts", "const at = new Date(atMs).toISOString(); /* await */ const asynchronous = 'async () => {}'; const day = Date.parse(text);"],
      ["shared/domain/a.ts", "x\n".repeat(400)],
    ];
    expect(innocent.flatMap(([path, text]) => fileProblems({ path, text }))).toEqual([]);
  });
});

describe("the reader of sources", () => {
  test("knows comments, strings and regular expressions apart", () => {
    const text = 'const a = "//"; // "b"\nconst c = /["\'`]/ ; const d = 6 / 2 / 1; /* `\n` */ const e = `${"//"}`; f';
    expect(blanked(text, { strings: false })).toBe('const a = "//";       \nconst c = /["\'`]/ ; const d = 6 / 2 / 1;     \n     const e = `${"//"}`; f');
    expect(blanked(text, { strings: true }).replaceAll(/ +/g, " ")).toBe("const a = ; \nconst c = ; const d = 6 / 2 / 1; \n const e = ; f");
  });

  test("finds every way to import", () => {
    const text = 'import a from "a";\nimport "b";\nimport type { C } from \'c\';\nexport * from "d";\nimport {\n  e,\n  f,\n} from "e";\nlet g: import("g").G;\nawait import("h");\nconst i = "from \\"i\\"";\nexport const j = "j";\nconst k = require("k");\n';
    expect(importsOf({ path: "a.ts", text })).toEqual(["a", "b", "c", "d", "e", "g", "h", "k"]);
  });
});

describe("lint says what to write instead:", () => {
  const planted: readonly (readonly [path: string, text: string, instead: string])[] = [
    ["orchestrations/a.ts", "export const now = () => Date.now();", "desk's `now()`"],
    ["orchestrations/b.ts", "export const seed = () => Math.random();", "a seed"],
    ["orchestrations/c.ts", "export const wait = () => setTimeout(() => {}, 1);", "durable timers"],
    ["orchestrations/d.ts", "export const ask = () => fetch('https://example.com');", "make it a step"],
    ["orchestrations/e.ts", "export const name = process.title;", "travel in the input"],
    ["orchestrations/f.ts", "export const id = () => crypto.randomUUID();", "ids come from the input"],
    ["orchestrations/g.ts", "export const at = () => performance.now();", "desk's `now()`"],
    ["orchestrations/h.ts", "export const log = () => console.log('x');", "set the phase"],
    ["orchestrations/i.ts", "export const both = (a: unknown[]) => Promise.all(a);", "`together` and `each`"],
    ["orchestrations/j.ts", "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;", "No I/O in runbooks"],
    ["orchestrations/k.ts", "import { BlobClient } from '@azure/storage-blob';\nexport const client = BlobClient;", "reached through steps"],
    ["orchestrations/l.ts", "import type { World } from '../shared/ports.ts';\nexport type W = World;", "shared/domain only"],
    ["shared/m.ts", `export function long(): number {\n${"  void 0;\n".repeat(75)}  return 1;\n}\n`, "too many lines"],
  ];
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-lint-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What our lint rules say, by path, of files that stand in a project of their own. */
  function lint(files: readonly (readonly [path: string, text: string])[]): Map<string, string> {
    copyFileSync(new URL(".oxlintrc.json", root), join(folder, ".oxlintrc.json"));
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const oxlint = join(dirname(createRequire(import.meta.url).resolve("oxlint/package.json")), "bin", "oxlint");
    const { stdout } = spawnSync(process.execPath, [oxlint, "--format", "json", ...files.map(([path]) => path)], { cwd: folder, encoding: "utf8" });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; message: string; help?: string }[] };
    return new Map(files.map(([path]) => [path, diagnostics.filter(({ filename }) => filename.endsWith(path)).map(({ message, help = "" }) => `${message} ${help}`).join("\n")]));
  }

  const said = lint(planted.map(([path, text]) => [path, text]));
  test.each(planted)("%s with %j", (path, _, instead) => {
    expect(said.get(path)).toContain(instead);
  });

  test("and nothing of the same on top of the floors, or of reasons at length", () => {
    const allowed = lint([...planted.slice(0, -1).map(([path, text]) => [path.replace("orchestrations", "lab"), text] as const), ["shared/n.ts", `export function short(): number {\n${"  // why\n".repeat(75)}  return 1;\n}\n`]]);
    for (const [path, , instead] of planted) expect(allowed.get(path.replace("orchestrations", "lab")) ?? "").not.toContain(instead);
    expect(allowed.get("shared/n.ts")).toBe("");
  });
});
