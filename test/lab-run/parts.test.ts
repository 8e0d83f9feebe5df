import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AppNotBuilt } from "../../lab/app-host.ts";
import { AzuriteFailed } from "../../lab/azurite.ts";
import { CannotListen } from "../../lab/faces/listen.ts";
import { labFiles } from "../../lab/generated-files.ts";
import { openClosing, untilAborted } from "../../lab/closing.ts";
import { readOptions } from "../../lab/run/options.ts";
import { columnsOf, cut, padded, tame, wrapped } from "../../lab/run/show/columns.ts";
import { coloursWanted, paintIn } from "../../lab/run/show/paint.ts";
import { troubleOf } from "../../lab/run/trouble.ts";

describe("the command line", () => {
  const read = (...args: string[]) => {
    let said = "";
    const hear = (text: string) => void (said += text);
    return { read: readOptions(args, { out: hear, err: hear }), said: () => said };
  };

  test("says nothing, and a region is lost on replicated storage at 20 times the wall clock", () => {
    expect(read().read).toMatchObject({ kind: "options", options: { scenario: { name: "region-lost" }, topology: "replicated", rate: 20, report: ".lab/report", port: null, json: false, keep: false, color: true } });
  });

  test("is taken at its word", () => {
    expect(read("--topology", "shared", "--scenario", "primary-blip", "--rate", "200", "--port", "18443", "--report", "out", "--json", "--keep", "--no-color").read).toMatchObject({
      kind: "options",
      options: { scenario: { name: "primary-blip" }, topology: "shared", rate: 200, port: 18_443, report: "out", json: true, keep: true, color: false },
    });
  });

  test.each([
    [["--rate", "0"], "1 to 200"],
    [["--rate", "201"], "1 to 200"],
    [["--rate", "2.5"], "1 to 200"],
    [["--rate", "fast"], "1 to 200"],
    [["--rate=-1"], "1 to 200"],
    [["--port", "65536"], "1 to 65535"],
    [["--topology", "striped"], "replicated, shared"],
    [["--scenario", "flood"], "primary-blip"],
    [["--report"], "argument missing"],
    [["--speed", "5"], "unknown option"],
    [["region-lost"], "too many arguments"],
  ])("that is wrong is refused in words: %s", (args, words) => {
    const { read: refused, said } = read(...args);
    expect(refused).toEqual({ kind: "over", code: 2 });
    expect(said()).toContain(words);
    expect(said()).toContain("--help");
  });

  test("that asks for help gets every scenario, and nothing is started", () => {
    const { read: helped, said } = read("--help");
    expect(helped).toEqual({ kind: "over", code: 0 });
    for (const words of ["region-lost", "namespace-lost", "primary-blip", "backup-incomplete", "data-skipped", "Exit code"]) expect(said()).toContain(words);
  });
});

describe("colours", () => {
  test.each([
    [{ refused: false, isTerminal: true, environment: {} }, true],
    [{ refused: false, isTerminal: false, environment: {} }, false],
    [{ refused: true, isTerminal: true, environment: { FORCE_COLOR: "1" } }, false],
    [{ refused: false, isTerminal: true, environment: { NO_COLOR: "1" } }, false],
    [{ refused: false, isTerminal: true, environment: { NO_COLOR: "" } }, true],
    [{ refused: false, isTerminal: false, environment: { FORCE_COLOR: "1" } }, true],
    [{ refused: false, isTerminal: true, environment: { FORCE_COLOR: "0" } }, false],
    [{ refused: false, isTerminal: true, environment: { FORCE_COLOR: "1", NO_COLOR: "1" } }, true],
    [{ refused: false, isTerminal: true, environment: { TERM: "dumb" } }, false],
  ])("%j: %s", (question, wanted) => {
    expect(coloursWanted(question)).toBe(wanted);
  });
});

describe("lines", () => {
  test("are as wide as a terminal shows them", () => {
    expect(columnsOf("shop")).toBe(4);
    expect(columnsOf(paintIn(true).red("shop"))).toBe(4);
    expect(columnsOf("夜市")).toBe(4);
    expect(columnsOf("🛶")).toBe(2);
    expect(columnsOf("e\u0301")).toBe(1);
  });

  test("are cut with an ellipsis, in the width and without a colour that runs on", () => {
    expect(cut("Night market", 12)).toBe("Night market");
    expect(cut("Night market", 6)).toBe("Night…");
    expect(cut("夜市夜市", 5)).toBe("夜市…");
    expect(cut(paintIn(true).red("Night market"), 6)).toBe("\u001B[31mNight…\u001B[0m");
  });

  test("break between words, and what follows is set in", () => {
    expect(wrapped("one two three four", 9, "  ")).toEqual(["one two", "  three", "  four"]);
    expect(wrapped("unbreakable", 5)).toEqual(["unbr…"]);
    expect(padded("夜市", 6)).toBe("夜市  ");
  });

  test("from outside lose what steers a terminal", () => {
    expect(tame("a\u001B[31mb\u001B]0;t\u0007\u0000c\r\nd")).toBe("abc d");
  });
});

describe("what was opened", () => {
  test("is closed in the opposite order, all of it, even if one does not close", async () => {
    const closed: string[] = [];
    const closing = openClosing();
    closing.add(() => closed.push("first"));
    closing.add(() => Promise.reject(new Error("the second does not close")));
    closing.add(() => closed.push("third"));
    await expect(closing.close()).rejects.toThrow("the second does not close");
    expect(closed).toEqual(["third", "first"]);
  });

  test("is closed at once when it comes too late", async () => {
    const closed: string[] = [];
    const closing = openClosing();
    await closing.close();
    closing.add(() => closed.push("late"));
    await closing.close();
    expect(closed).toEqual(["late"]);
  });

  test("is waited for and closed when it is just being opened, and what fails to open has nothing to close", async () => {
    const closed: string[] = [];
    const closing = openClosing();
    let open: (name: string) => void = () => undefined;
    const opened = closing.opening(new Promise<string>((resolve) => (open = resolve)), (name) => closed.push(name));
    const failed = closing.opening(Promise.reject(new Error("port in use")), () => closed.push("what never was"));
    await expect(failed).rejects.toThrow("port in use");
    const closes = closing.close();
    expect(closed).toEqual([]);
    open("door");
    await closes;
    expect([await opened, closed]).toEqual(["door", ["door"]]);
  });

  test("is not waited for after an abort: the reason of the abort is the end", async () => {
    const abort = new AbortController();
    const never = untilAborted(new Promise(() => undefined), abort.signal);
    abort.abort(new Error("stopped"));
    await expect(never).rejects.toThrow("stopped");
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    await expect(untilAborted(Promise.resolve(1), new AbortController().signal)).resolves.toBe(1);
  });
});

describe("trouble is told in words, without a stack:", () => {
  const missing = Object.assign(new Error("Cannot find module 'azurite/package.json'\nRequire stack:\n- /a/b.ts"), { code: "MODULE_NOT_FOUND" });
  test.each([
    ["a port in use", new CannotListen("127.0.0.11", 443, Object.assign(new Error("in use"), { code: "EADDRINUSE" }), "--port"), ["port 443 on 127.0.0.11 is in use", "--port"]],
    ["an address that macOS does not have", new CannotListen("127.0.0.12", 0, Object.assign(new Error("no"), { code: "EADDRNOTAVAIL" })), ["sudo ifconfig lo0 alias 127.0.0.12"]],
    ["Azurite", new AzuriteFailed("Azurite did not start: it ended with exit code 1; it said: no"), ["it said: no", "npm ci"]],
    ["an app that is not built", new AppNotBuilt(), ["npm run build"]],
    ["a package that is missing", missing, ["azurite/package.json", "npm ci"]],
    ["a fault of the lab", new Error("waited 10 s for nothing"), ["the lab failed: waited 10 s for nothing"]],
    ["what is no error", "out of luck", ["out of luck"]],
  ])("%s", (_, error, words) => {
    const told = troubleOf(error);
    for (const word of words) expect(told).toContain(word);
    expect(told).not.toMatch(/\n\s+at |Require stack/);
  });
});

test.each(Object.entries(labFiles))("%s is as `npm run docs` makes it", (file, text) => {
  expect(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")).toBe(text());
});
