import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, type BuildOptions } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entryPoints, globPattern } from "../../lab/host/entry-point.ts";
import { appDirectory } from "./app-directory.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const source = fileURLToPath(new URL("./load.ts", import.meta.url));
let directory: string;
/** The host, compiled, for Node without tsx. */
let compiled: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lifeboat-loading-"));
  compiled = join(directory, "load.mjs");
  await symlink(join(root, "node_modules"), join(directory, "node_modules"));
  await build({ entryPoints: [source], outfile: compiled, bundle: true, platform: "node", format: "esm", packages: "external" });
});
afterAll(() => rm(directory, { recursive: true }));

/** The app of `apps/esm` as one file with the library in it, as an app is deployed. */
async function bundled(name: string, format: "esm" | "cjs"): Promise<string> {
  const home = join(directory, name);
  await mkdir(home);
  const banner = 'import { createRequire as createRequireOf } from "node:module"; const require = createRequireOf(import.meta.url);';
  const options: BuildOptions = { bundle: true, platform: "node", format, minify: true, keepNames: true, external: ["@azure/functions-core"] };
  await build({ ...options, entryPoints: [join(appDirectory("esm"), "main.mjs")], outfile: join(home, "app.js"), ...(format === "esm" ? { banner: { js: banner } } : {}) });
  await writeFile(join(home, "package.json"), JSON.stringify({ type: format === "esm" ? "module" : "commonjs", main: "app.js" }));
  return home;
}

const apps: Record<string, () => string | Promise<string>> = {
  "an ES module app": () => appDirectory("esm"),
  "a CommonJS app": () => appDirectory("cjs"),
  "a TypeScript app": () => appDirectory("typescript"),
  "a bundle that is an ES module": () => bundled(`esm-${Math.random()}`, "esm"),
  "a bundle that is CommonJS": () => bundled(`cjs-${Math.random()}`, "cjs"),
};

describe.concurrent("the library finds the host", () => {
  test.each([
    ["an ES module app", "node"],
    ["an ES module app", "tsx"],
    ["a CommonJS app", "node"],
    ["a CommonJS app", "tsx"],
    ["a TypeScript app", "tsx"],
    ["a bundle that is an ES module", "node"],
    ["a bundle that is CommonJS", "node"],
  ])("from %s under %s", async (app, runtime) => {
    const home = await apps[app]?.();
    const { stdout, stderr } = await run(process.execPath, [...(runtime === "tsx" ? ["--import", "tsx", source] : [compiled]), home ?? ""], { cwd: root });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ functions: expect.arrayContaining(["hello"]), answer: '{"hello":"Ada"}' });
  });
});

describe("the entry points of an app", () => {
  test("are all that a glob with braces and stars matches, in order", async () => {
    expect(await entryPoints(appDirectory("esm"))).toEqual([join(appDirectory("esm"), "main.mjs"), join(appDirectory("esm"), "other.js")]);
  });

  test.each<[string, string, boolean]>([
    ["dist/index.js", "dist/index.js", true],
    ["./dist/index.js", "dist/index.js", true],
    ["dist/*.js", "dist/sub/index.js", false],
    ["dist/**/*.js", "dist/sub/index.js", true],
    ["dist/**/*.js", "dist/index.js", true],
    ["dist/src/{index.js,functions/*.js}", "dist/src/functions/a.js", true],
    ["dist/src/{index.js,functions/*.js}", "dist/src/index.js", true],
    ["dist/src/{index.js,functions/*.js}", "dist/src/other.js", false],
    ["a,b.js", "a,b.js", true],
    ["a.js", "abjs", false],
  ])("%s, %s: %s", (glob, path, matches) => {
    expect(globPattern(glob).test(path)).toBe(matches);
  });

  test("an app without main is told so", async () => {
    await writeFile(join(directory, "package.json"), "{}");
    await expect(entryPoints(directory)).rejects.toThrow(/has no "main"/);
  });
});
