import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.ts";

const root = new URL("../..", import.meta.url);
const examples = ["docs/plans/shop-shared.yaml", "docs/plans/shop-replicated.yaml", "docs/plans/demo.yaml"];

/** Runs a command line with files of our own beside the real ones, and gives back all it said. */
async function lifeboat(args: readonly string[], { files = {}, colour = false }: { files?: Record<string, string>; colour?: boolean } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const read = (file: string) => files[file] ?? readFileSync(new URL(file, root), "utf8");
  const code = await runProgram(args, { out: (line) => out.push(line), err: (line) => err.push(line), read, list: () => [], colour });
  return { code, out, err: err.join("\n") };
}

const bad = "plan: Shop\nabuot: x\n";

describe("lifeboat plan validate", () => {
  test("says that the examples are good, each with its plan and hash", async () => {
    const { code, out } = await lifeboat(["plan", "validate", ...examples]);
    expect(code).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(/^good docs\/plans\/shop-shared.yaml: plan shop, sha256 [0-9a-f]{12}$/),
      expect.stringMatching(/^good docs\/plans\/shop-replicated.yaml: plan shop, /),
      expect.stringMatching(/^good docs\/plans\/demo.yaml: plan demo, /),
      "3 of 3 plans are valid",
    ]);
  });

  test("refuses two plans that would move each other's users or fill each other's namespaces", async () => {
    const shop = readFileSync(new URL("docs/plans/shop-replicated.yaml", root), "utf8");
    const { code, out } = await lifeboat(["plan", "validate", "docs/plans/shop-replicated.yaml", "till.yaml"], { files: { "till.yaml": shop.replace(/^plan: shop$/m, "plan: till") } });
    expect(code).toBe(1);
    expect(out.slice(1)).toEqual([
      expect.stringMatching(/^till.yaml:1:1: plan shop switches the profile \/subscriptions\/.*\/tm-shop too: a failover of either would move the users of both — give each a public name of its own/),
      expect.stringMatching(/^till.yaml:1:1: plan shop restores the namespace shop into .*\/aks-shop-neu too: whichever comes second would find it full — take it out of one of them$/),
      "1 of 2 plans are valid",
    ]);
  });

  test("lists every problem of a bad one as file:line:column, and still looks at the others", async () => {
    const { code, out } = await lifeboat(["plan", "validate", "bad.yaml", "docs/plans/demo.yaml"], { files: { "bad.yaml": bad } });
    expect(code).toBe(1);
    expect(out[0]).toMatch(/^bad.yaml:1:1: `primary` is missing — add it: /);
    expect(out).toContainEqual("bad.yaml:2:1: `abuot` is not a key of the plan — did you mean `about`?");
    expect(out.at(-2)).toMatch(/^good docs\/plans\/demo.yaml/);
    expect(out.at(-1)).toBe("1 of 2 plans are valid");
  });

  test("with --json gives one object per line, nothing else", async () => {
    const { code, out } = await lifeboat(["plan", "validate", "--json", "bad.yaml", "docs/plans/demo.yaml"], { files: { "bad.yaml": bad }, colour: true });
    const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(1);
    expect(lines).toContainEqual({ format: 1, event: "problem", file: "bad.yaml", line: 2, column: 1, path: "abuot", problem: "`abuot` is not a key of the plan", remedy: "did you mean `about`?" });
    expect(lines.at(-2)).toMatchObject({ event: "plan", plan: "demo", hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(lines.at(-1)).toEqual({ format: 1, event: "summary", valid: 1, invalid: 1 });
  });

  test("reports a file that is not there as a problem", async () => {
    const { code, out } = await lifeboat(["plan", "validate", "nowhere.yaml"]);
    expect(code).toBe(1);
    expect(out[0]).toMatch(/^nowhere.yaml:1:1: the file cannot be read: .* — check the path/);
  });

  test("colours on a terminal only", async () => {
    expect((await lifeboat(["plan", "validate", "docs/plans/demo.yaml"], { colour: true })).out[0]).toContain("\u001B[32mgood\u001B[0m");
    expect((await lifeboat(["plan", "validate", "docs/plans/demo.yaml"])).out.join("\n")).not.toContain("\u001B");
  });
});

describe("lifeboat plan explain", () => {
  test("tells the eleven steps in order, with the plan's own names and figures", async () => {
    const { code, out } = await lifeboat(["plan", "explain", "docs/plans/shop-replicated.yaml"]);
    expect(code).toBe(0);
    expect(out.filter((line) => /^\d+\./.test(line)).map((line) => line.replace(/^\d+\. /, ""))).toEqual([
      "Accept",
      "Confirm",
      "Decide",
      "Fence the primary",
      "Choose the restore point",
      "Promote the backups and make the secondary ready, side by side",
      "Restore",
      "Verify",
      "Open the secondary",
      "Release",
      "Report",
    ]);
    const text = out.join("\n");
    for (const fact of ["All 5 must say down for 1 min", "delete the replication policy there", "raise pool user to 2 nodes", "Wave 2: shop (namespace shop)", "shop/data-orders-0", "endpoint northeurope of tm-shop", "back within 15 min, at most 1 h 15 min"])
      expect(text).toContain(fact);
  });

  test("tells shared storage apart, where nothing is promoted", async () => {
    const { out } = await lifeboat(["plan", "explain", "docs/plans/shop-shared.yaml"]);
    expect(out.join("\n")).toContain("Read stshopgeo at its secondary endpoint");
    expect(out.join("\n")).not.toContain("replication policy");
  });

  test.each([
    ["mode: veto\n  windowSeconds: 300", "go on after 5 min unless one of them objects"],
    ["mode: approval\n  approvals: 2\n  expiresSeconds: 900", "Wait until 2 people approved. Not approved within 15 min: end"],
  ])("tells who is asked: %j", async (approval, sentence) => {
    const text = readFileSync(new URL("docs/plans/demo.yaml", root), "utf8").replace(/mode: automatic\n.*/, approval);
    expect((await lifeboat(["plan", "explain", "other.yaml"], { files: { "other.yaml": text } })).out.join("\n")).toContain(sentence);
  });

  test("says what a schedule with pauses means for the objectives, and nothing of one without", async () => {
    const text = readFileSync(new URL("docs/plans/shop-replicated.yaml", root), "utf8");
    const explained = async (schedule: string) => (await lifeboat(["plan", "explain", "other.yaml"], { files: { "other.yaml": text.replace('schedule: "0 * * * *"', `schedule: "${schedule}"`) } })).out.join("\n");
    expect(await explained("0 8-18 * * 1-5")).toContain("Mind: between two of those backups lie up to 62 h; a loss in the last of it is more than the objective allows and the newest of them grows too old to be restored.");
    expect(await explained("0 8-23 * * *")).toContain("Mind: between two of those backups lie up to 9 h; a loss in the last of it is more than the objective allows.");
    expect(await explained("@every 1h")).not.toContain("Mind");
  });

  test("says what a lease agent does, on the day of a loss and on any other", async () => {
    const explained = async (agent: string) => (await lifeboat(["plan", "explain", "other.yaml"], { files: { "other.yaml": readFileSync("docs/plans/shop-replicated.yaml", "utf8").replace("\nfence:\n", `\nfence:\n  agent: ${agent}\n`) } })).out.join("\n");
    expect(await explained("{}")).toMatch(/wait for its word, or until .* after it was heard last\./);
    expect(await explained("{}")).toContain("Mind: on any day, that agent closes the application by itself when it cannot reach the home account for 1 min");
    expect(await explained("{ silenceCounts: false }")).toContain("wait for its word.");
  });

  test("says on standard error what is wrong with a plan that cannot be explained, and nothing else", async () => {
    const { code, out, err } = await lifeboat(["plan", "explain", "bad.yaml"], { files: { "bad.yaml": bad } });
    expect(code).toBe(1);
    expect(out).toEqual([]);
    expect(err).toContain("bad.yaml:2:1: `abuot`");
    expect(err).not.toContain("valid");
  });
});

describe("lifeboat", () => {
  test("prints the schema that is in docs/plans", async () => {
    const { code, out } = await lifeboat(["plan", "schema"]);
    expect(code).toBe(0);
    expect(`${out.join("\n")}\n`).toBe(readFileSync(new URL("docs/plans/plan.schema.json", root), "utf8"));
  });

  test.each([[["plan", "valdate"]], [["plan", "validate"]], [["plan", "explain", "a", "b"]], [["--nonsense"]], [[]]])("given %j does nothing and exits with 2", async (args) => {
    const { code, out, err } = await lifeboat(args);
    expect(code).toBe(2);
    expect(out).toEqual([]);
    expect(err).toMatch(/lifeboat/);
  });

  test("shows its commands with --help", async () => {
    const { code, out } = await lifeboat(["plan", "--help"]);
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(/validate[^]*explain[^]*schema/);
  });

  test("tells its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };
    expect(await lifeboat(["--version"])).toMatchObject({ code: 0, out: [version] });
  });

  test("reads a plan from standard input, and none that is not UTF-8", () => {
    const validate = (input: Buffer) => spawnSync(process.execPath, ["--import", "tsx", "cli/index.ts", "plan", "validate", "-"], { cwd: root, encoding: "utf8", input });
    const text = readFileSync(new URL("docs/plans/demo.yaml", root), "utf8");
    expect(validate(Buffer.from(text))).toMatchObject({ status: 0, stdout: expect.stringMatching(/^good -: plan demo/) as string });
    expect(validate(Buffer.from(text.replace("A page", "Eine schöne Seite"), "latin1"))).toMatchObject({ status: 1, stdout: expect.stringContaining("-:1:1: the file cannot be read") as string });
  });

  test("runs from a shell, with exit codes that can gate a pipeline", () => {
    const run = (...args: string[]) => spawnSync(process.execPath, ["--import", "tsx", "cli/index.ts", "plan", "validate", ...args], { cwd: root, encoding: "utf8" });
    expect(run(...examples)).toMatchObject({ status: 0, stdout: expect.stringContaining("3 of 3 plans are valid") as string });
    expect(run("package.json").status).toBe(1);
  });
});
