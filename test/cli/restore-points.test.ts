import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.ts";

const at = Date.parse("2026-11-21T06:00:00Z");
const point = { name: "shop-1", proven: true, reason: null, reached: "readable", takenAt: at - 600_000, livesUntilAt: at + 86_400_000, checkedAt: at, more: "of a later version" };
const finding = { kind: "corrupt", point: "shop-2", fact: "the tarball is cut off", remedy: "take a new backup" };
const told = {
  plan: "shop",
  objective: { rpoSeconds: 3_600, state: "kept" },
  newestProven: { name: "shop-1", takenAt: at - 600_000, ageSeconds: 600, reached: "readable" },
  lookedAt: at,
  findings: [finding],
  points: [{ ...point, name: "shop-3", proven: "unknown", reason: "no watermark is known" }, { ...point, name: "shop-2", proven: false, reason: "the tarball is cut off", reached: "seen" }, point],
};
const asked: IncomingMessage[] = [];
const answer = { status: 200, body: "", headers: {} as Record<string, string> };
const server = createServer((request, response) => {
  asked.push(request);
  if (request.url === "/elsewhere") response.end(JSON.stringify(told));
  else response.writeHead(answer.status, answer.headers).end(answer.body);
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());
beforeEach(() => {
  asked.length = 0;
  Object.assign(answer, { status: 200, body: JSON.stringify(told), headers: {} });
});
const app = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function lifeboat(args: readonly string[], { token = "made-up.token\n", colour = false, to = app() } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const read = (file: string) => {
    if (file !== "-") throw new Error(`ENOENT: ${file}`);
    return token;
  };
  const code = await runProgram(["restore-points", "--app", to, "--token", "-", ...args], { out: (line) => out.push(line), err: (line) => err.push(line), read, list: () => [], colour });
  return { code, out, err: err.join("\n") };
}

describe("lifeboat restore-points", () => {
  test("says how the plan stands, point by point, what is wrong and what to do", async () => {
    const { code, out, err } = await lifeboat(["shop"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toEqual([
      "shop: objective kept: the newest that is proven is shop-1 (readable), taken 2026-11-21 05:50:00 UTC, 10 min ago; the plan allows 60 min",
      "unknown shop-3 (readable), taken 2026-11-21 05:50:00 UTC, lives until 2026-11-22 06:00:00 UTC, looked at 2026-11-21 06:00:00 UTC: no watermark is known",
      "not     shop-2 (seen), taken 2026-11-21 05:50:00 UTC, lives until 2026-11-22 06:00:00 UTC, looked at 2026-11-21 06:00:00 UTC: the tarball is cut off",
      "proven  shop-1 (readable), taken 2026-11-21 05:50:00 UTC, lives until 2026-11-22 06:00:00 UTC, looked at 2026-11-21 06:00:00 UTC",
      "corrupt shop-2: the tarball is cut off",
      "  take a new backup",
      "all were looked at last at 2026-11-21 06:00:00 UTC",
    ]);
    expect(asked.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([["GET", "/api/plans/shop/restore-points", "Bearer made-up.token"]]);
  });

  test.each(["broken", "unknown"])("ends with 1 when the objective is %s, and nothing but what holds is green", async (state) => {
    answer.body = JSON.stringify({ ...told, objective: { rpoSeconds: 60, state }, newestProven: null, lookedAt: null });
    const { code, out } = await lifeboat(["shop"], { colour: true });
    expect(code).toBe(1);
    expect(out.filter((line) => line.includes("\u001B[32m")).map((line) => line.includes("shop-1"))).toEqual([true]);
    expect([out[0], out.at(-1)]).toEqual([expect.stringContaining("no restore point is proven"), expect.stringContaining("could not be looked at")]);
    expect((await lifeboat(["shop"])).out.join("")).not.toContain("\u001B");
  });

  test("shows one point level by level", async () => {
    answer.body = JSON.stringify({ ...point, proven: "unknown", reason: "why", findings: [finding], evidence: [{ level: "L2", ok: true, about: "read to its end" }, { level: "L8", ok: "unknown", about: "not listed" }], history: [{ at, usable: "usable", reached: "readable" }] });
    const { code, out } = await lifeboat(["shop", "shop 1/ü"]);
    expect([code, asked[0]?.url]).toEqual([1, "/api/plans/shop/restore-points/shop%201%2F%C3%BC"]);
    expect(out.slice(1)).toEqual(["  yes     L2: read to its end", "  unknown L8: not listed", "corrupt shop-2: the tarball is cut off", "  take a new backup", "  since 2026-11-21 06:00:00 UTC: readable, usable"]);
  });

  test("with --json gives one object per line, with all that the app said of a point", async () => {
    const { out } = await lifeboat(["shop", "--json"]);
    const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ format, event }) => [format, event])).toEqual([[1, "standing"], [1, "point"], [1, "point"], [1, "point"], [1, "finding"]]);
    expect(lines[3]).toMatchObject({ name: "shop-1", more: "of a later version" });
  });

  test("lets no name in a container steer the terminal", async () => {
    answer.body = JSON.stringify({ ...told, points: [{ ...point, name: "x\u001B[2J\u009B31m\u202Ey\nproven  z" }] });
    expect((await lifeboat(["shop"])).out[1]).toMatch(/^proven {2}x�\[2J�31m�y�proven {2}z /);
  });

  test.each<readonly [string, Parameters<typeof lifeboat>[1], Partial<typeof answer>, string]>([
    ["an address that is none", { to: "func-lifeboat" }, {}, "func-lifeboat is no address"],
    ["an address where a token could be overheard", { to: "http://func.example" }, {}, "a token goes over https alone"],
    ["nobody there", { to: "http://127.0.0.1:1" }, {}, "did not answer:"],
    ["a token file that holds something else", { token: "not a\ntoken" }, {}, "- holds no access token"],
    ["a refusal", {}, { status: 401, body: JSON.stringify({ title: "who are you?", detail: "the token is not good: expired" }) }, "answered 401 who are you?: the token is not good: expired"],
    ["a page of another app", {}, { body: "<html>" }, "no JSON: is it Lifeboat's address?"],
    ["an answer of another kind", {}, { body: "{}" }, "is not one that this lifeboat knows: plan: "],
    ["an instant that is none", {}, { body: JSON.stringify({ ...told, lookedAt: 1e300 }) }, "is not one that this lifeboat knows"],
    ["a way to somebody else", {}, { status: 302, headers: { location: "/elsewhere" } }, "did not answer:"],
  ])("given %s says so and exits with 2", async (_, options, change, words) => {
    Object.assign(answer, change);
    const { code, out, err } = await lifeboat(["shop"], options);
    expect([code, out]).toEqual([2, []]);
    expect(err).toContain(words);
    expect(err).not.toContain("made-up");
  });

  test("wants to know where, who, and of which plan", async () => {
    const err: string[] = [];
    expect(await runProgram(["restore-points", "shop", "--app", app()], { out: () => undefined, err: (line) => err.push(line), read: () => "", list: () => [], colour: false })).toBe(2);
    expect([err.join(""), asked]).toEqual([expect.stringContaining("--token"), []]);
  });
});
