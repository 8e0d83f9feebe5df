import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../shared/domain/canonical-json.ts";
import { problemLine, readPlan, readPlans } from "../../shared/domain/plan-file.ts";
import { nearest } from "../../shared/domain/spelling.ts";
import { digest, exampleText } from "./example-plans.ts";

const shop = exampleText("shop-replicated");

/** `line:column problem — remedy` of everything wrong with a text. */
function problemsOf(text: string): string[] {
  const read = readPlan(text, digest);
  return read.kind === "plan" ? [] : read.problems.map((problem) => problemLine("", problem).slice(1));
}

/** The shop with some text replaced, and the line on which it stood. */
function changed(from: string, to: string): { readonly text: string; readonly line: number } {
  expect(shop).toContain(from);
  return { text: shop.replace(from, to), line: shop.slice(0, shop.indexOf(from)).split("\n").length };
}

describe("every problem is reported at once", () => {
  const wrong = `plan: Shop
abuot: x
primary:
  name: westeurope
  cluster: /subscriptions/x
  ingress: http://weu
secondary:
  name: westeurope
  clustre: x
  pools: []
storage:
  topology: replicatd
backups:
  maxAgeSeconds: "1h"
  provenFrom: reedable
applications:
  - name: a
    wave: 0
  - name: a
    wave:
    namespaces: shop
confirmation:
  signals: [{kind: public-probe}, {kind: public-probe, pth: /x}, {kind: resourcehealth}]
  agree: 9
  agree: 5
  controls: [ftp://x]
fence:
  enough: [traffic-only]
assertions:
  - kind: http
    path: x
    status: yes
traffic: {}
objectives: {rtoSeconds: 1.5, rpoSeconds: -1}
approval: {mode: automatic}
`;

  test("each at its line and column, with a remedy", () => {
    expect(problemsOf(wrong).map((problem) => problem.replace(/(?<=—.{30}).*/, "…"))).toMatchInlineSnapshot(`
      [
        "1:7: \`plan\` must be 1 to 40 lower-case letters, digits and hyphens, because it becomes part of object names in Azure and Kubernetes; it is "Shop" — correct it: Name of the plan;…",
        "2:1: \`abuot\` is not a key of the plan — did you mean \`about\`?",
        "5:12: \`cluster\` must be the full id of a resource of type Microsoft.ContainerService/managedClusters: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerService/managedClusters/…; it is "/subscriptions/x" — correct it: Resource id of th…",
        "6:12: \`ingress\` must be an address that begins with https://; it is "http://weu" — correct it: Address of this r…",
        "7:1: \`ingress\` is missing — add it: Address of this regio…",
        "9:3: \`clustre\` is not a key of \`secondary\` — did you mean \`cluster\`?",
        "9:12: \`cluster\` must be the full id of a resource of type Microsoft.ContainerService/managedClusters: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerService/managedClusters/…; it is "x" — correct it: Resource id of th…",
        "10:3: \`pools\` must have at least 1 entry — correct it: Node pools that m…",
        "12:13: \`topology\` cannot be "replicatd" — did you mean \`replicated\`?",
        "13:1: \`backups\` must select backups — give \`schedule\`, \`names\` or b…",
        "14:18: \`maxAgeSeconds\` must be a number, not "1h" — correct it: A failover refuse…",
        "15:15: \`provenFrom\` cannot be "reedable" — did you mean \`readable\`?",
        "17:5: \`applications[0]\` restores nothing — give \`namespaces\`, \`clusterRe…",
        "18:11: \`wave\` must be at least 1 — correct it: Applications of o…",
        "20:5: \`wave\` has no value — give it one: Applications of …",
        "21:17: \`namespaces\` must be a list (lines that begin with \`- \`), not "shop" — correct it: Namespaces of thi…",
        "23:42: \`kind\` lists public-probe a second time — remove one: two readings of o…",
        "23:56: \`pth\` is not a key of \`signals[1]\` — did you mean \`path\`?",
        "23:73: \`kind\` cannot be "resourcehealth" — did you mean \`resource-health…",
        "24:10: \`agree\` must be at most the number of signals, which is 3 — lower it, or list more signal…",
        "25:3: \`agree\` is given twice, first on line 24 — keep one of them",
        "26:14: \`controls[0]\` must be an address that begins with https://; it is "ftp://x" — correct it, for example https…",
        "27:1: \`trafficOnlyBecause\` is missing, and \`traffic-only\` is listed in \`enough\` — write why no client reaches t…",
        "31:11: \`path\` must begin with /; it is "x" — correct it, for example /heal…",
        "32:13: \`status\` must be a number, not "yes" — correct it",
        "33:1: \`kind\` is missing — choose one of traffic-manager…",
        "34:26: \`rtoSeconds\` must be a whole number, not 1.5 — correct it: Recovery time obj…",
        "34:43: \`rpoSeconds\` must be at least 1 — correct it: Recovery point ob…",
        "35:1: \`because\` is missing — add it: Why nobody has to be …",
      ]
    `);
  });

  test("none goes without a remedy", () => {
    const read = readPlan(wrong, digest);
    for (const { remedy, problem } of read.kind === "unreadable" ? read.problems : []) expect(remedy.length, problem).toBeGreaterThan(8);
  });
});

describe("a problem stands where it is made", () => {
  test.each([
    ["an unknown key at the key", "  soakSeconds: 60", "  soakSecond: 60", 3, "`soakSecond` is not a key of `confirmation` — did you mean `soakSeconds`?"],
    ["a wrong value at the value", "  agree: 5", "  agree: five", 10, '`agree` must be a number, not "five"'],
    ["a word that is none of the few at the value", "  topology: replicated", "  topology: replicate", 13, '`topology` cannot be "replicate" — did you mean `replicated`?'],
    ["an empty value at its key", "  maxAgeSeconds: 86400", "  maxAgeSeconds:", 3, "`maxAgeSeconds` has no value"],
    ["a text where a list must be at the text", "  storageClasses: [managed-csi]", "  storageClasses: managed-csi", 19, "`storageClasses` must be a list"],
    ["a rule across fields at the field that breaks it", "  agree: 5", "  agree: 6", 10, "`agree` must be at most the number of signals, which is 5"],
  ])("%s", (_, from, to, column, message) => {
    const { text, line } = changed(from, to);
    expect(problemsOf(text)).toEqual([expect.stringContaining(`${line}:${column}: ${message}`)]);
  });

  test("under a misspelt key too, as deep as it is clear what was meant, and nothing is called missing that stands there", () => {
    const text = shop.replace("\nobjectives:", "\nobjektives:").replace("  rtoSeconds: 900", "  rtoSeconds: fast").replace("\nconfirmation:", "\nconfirmaton:").replace("  soakSeconds: 60", "  soakSecond: long");
    const line = (key: string) => text.split("\n").findIndex((each) => each.startsWith(key)) + 1;
    expect(problemsOf(text).map((problem) => problem.replace(/ — correct it: .*/, ""))).toEqual([
      `${line("confirmaton")}:1: \`confirmaton\` is not a key of the plan — did you mean \`confirmation\`?`,
      `${line("  soakSecond")}:3: \`soakSecond\` is not a key of \`confirmation\` — did you mean \`soakSeconds\`?`,
      `${line("  soakSecond")}:15: \`soakSeconds\` must be a number, not "long"`,
      `${line("objektives")}:1: \`objektives\` is not a key of the plan — did you mean \`objectives\`?`,
      `${line("  rtoSeconds")}:15: \`rtoSeconds\` must be a number, not "fast"`,
    ]);
  });

  test("of two keys that could both be meant, neither is", () => {
    expect(problemsOf(shop.replace("\nobjectives:", "\nobjectivs: {rtoSeconds: fast}\nobjectivez:"))).toEqual([expect.stringContaining("`objectives` is missing"), expect.stringContaining("`objectivs` is not a key"), expect.stringContaining("`objectivez` is not a key")]);
    expect(problemsOf(shop.replace("\nobjectives:", "\nobjectivs: {rtoSeconds: fast}\nobjectives:"))).toEqual([expect.stringContaining("`objectivs` is not a key")]);
  });

  test("a missing key at its parent's", () => {
    const { text } = changed("  publicUrl: https://shop.example.com/\n", "");
    const line = text.split("\n").indexOf("traffic:") + 1;
    expect(problemsOf(text)).toEqual([expect.stringMatching(new RegExp(`^${line}:1: \`publicUrl\` is missing — add it: The address that users have`))]);
  });

  test("a missing part of the plan at its beginning", () => {
    expect(problemsOf(shop.replace(/\nobjectives:[^]*?\n\n/, "\n"))).toEqual([expect.stringMatching(/^1:1: `objectives` is missing/)]);
  });

  test("a missing key of a list's entry at that entry", () => {
    const { text, line } = changed("    name: orders\n    workload: StatefulSet", "    name: orders");
    expect(problemsOf(text)).toEqual([expect.stringMatching(new RegExp(`^${line - 2}:5: \`workload\` is missing — choose one of Deployment, StatefulSet, DaemonSet`))]);
  });
});

describe("YAML itself", () => {
  test("a key that is given twice is named with the line of the first", () => {
    const { text, line } = changed("  agree: 5", "  agree: 5\n  agree: 5");
    expect(problemsOf(text)).toEqual([`${line + 1}:3: \`agree\` is given twice, first on line ${line} — keep one of them`]);
  });

  test.each([
    ["a tab", "  agree: 5", "\tagree: 5", "Tabs are not allowed", "indent with spaces"],
    ["a quote left open", 'schedule: "0 * * * *"', 'schedule: "0 * * * *', "Missing closing", "closing quote"],
    ["a bracket left open", "namespaces: [shop]", "namespaces: [shop", "Flow sequence", "close the bracket"],
    ["a colon in a plain value", "about: Web shop", "about: Web: shop", "Nested mappings", "put the value in quotes"],
    ["a tag", "agree: 5", "agree: !!five 5", "Unresolved tag", "remove the tag"],
  ])("%s is reported with what to do", (_, from, to, problem, remedy) => {
    const [first] = problemsOf(changed(from, to).text);
    expect(first).toContain("this is not YAML");
    expect(first).toContain(problem);
    expect(first).toContain(remedy);
  });

  test("what is wrong before a broken line is said too, and nothing is guessed about the rest", () => {
    const { text, line } = changed("plan: shop", "plan: Shop");
    const problems = problemsOf(text.replace("\nconfirmation:", "\n\tconfirmation:").replace("  agree: 5", "  agree: 99"));
    expect(problems[0]).toMatch(new RegExp(`^${line}:7: \`plan\` must be`));
    expect(problems.slice(1).every((problem) => problem.includes("not YAML"))).toBe(true);
    expect(problems.length).toBeGreaterThan(1);
  });

  test("an alias is refused: every value stands where it acts", () => {
    const { text, line } = changed("plan: shop\n", "plan: &name shop\nabout: *name\n");
    expect(problemsOf(text.replace(/\nabout: Web.*/, ""))).toEqual([`${line + 1}:8: \`*name\` stands for a value from elsewhere — write the value out here: a plan is read under stress`]);
  });

  test("a second document is refused", () => {
    expect(problemsOf(`${shop}---\nplan: other\n`)).toEqual([expect.stringContaining("more than one document")]);
  });

  test.each([["", "empty"], ["# nothing\n", "empty"], ["- a\n", "must be a group of keys, not a list"], ["shop", 'must be a group of keys, not "shop"']])("%j is no plan", (text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(message)]);
  });
});

describe("nothing in a file costs more than it is worth", () => {
  test.each([
    ["a file above 256 KiB", "#".repeat(256 * 1024 + 1)],
    ["an alias bomb", `a: &a [x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: &b${at} [${`*${at === 0 ? "a" : `b${at - 1}`}, `.repeat(9)}x]`).join("\n")}`],
    ["a hundred thousand brackets", "[".repeat(100_000)],
    ["twenty thousand unknown keys", Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`).join("\n")],
    ["twenty thousand applications", `applications:\n${"- name: a\n".repeat(20_000)}`],
    ["twenty thousand copies of one key", "plan: a\n".repeat(20_000)],
    ["one key of 200,000 letters", `${"x".repeat(200_000)}: 1`],
  ])("%s is refused within seconds, with a list that a person can read", (_, text) => {
    const startedAt = performance.now();
    const read = readPlan(text, digest);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(read.kind).toBe("unreadable");
    expect(read.kind === "unreadable" && read.problems.length).toBeLessThanOrEqual(101);
    expect(read.kind === "unreadable" && Math.max(...read.problems.map((p) => p.problem.length + p.remedy.length))).toBeLessThan(1_000);
  });

  test("any text gets an answer with places inside the text", () => {
    const pieces = fc.constantFrom("plan", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "*a", "&a ", "'", '"', "#", "---\n", "? ", "|", ">", "!x ", "primary", "storage:\n  topology: shared", "__proto__: 1", "null", "~", "\t", "<<: ");
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")));
    fc.assert(
      fc.property(text, (given) => {
        const read = readPlan(given, digest);
        const lines = given.split("\n").length;
        return read.kind === "unreadable" && read.problems.length > 0 && read.problems.every((p) => p.line >= 1 && p.line <= lines && p.column >= 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the hash of a plan", () => {
  const hashOf = (text: string) => {
    const read = readPlan(text, digest);
    return read.kind === "plan" ? read.hash : read.problems;
  };

  test("is not changed by comments, order, spelling or written-out defaults", () => {
    const same = shop.replaceAll(/^\s*#.*\n/gm, "").replace("  provenFrom: readable\n", "").replace("rtoSeconds: 900\n  rpoSeconds: 4500", "rpoSeconds: 4500\n  rtoSeconds: 0x384");
    expect(same).not.toBe(shop);
    expect(hashOf(same)).toBe(hashOf(shop));
    expect(hashOf(shop)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is made of one form of the plan, whatever order its fields are in", () => {
    expect(canonicalJson({ b: [{ d: 1, c: undefined, a: null }, 2], a: "é" })).toBe('{"a":"é","b":[{"a":null,"d":1},2]}');
    expect(canonicalJson({ a: "é", b: [{ a: null, d: 1 }, 2] })).toBe(canonicalJson({ b: [{ d: 1, a: null }, 2], a: "é" }));
  });

  test("is changed by every value", () => {
    expect(hashOf(shop.replace("rtoSeconds: 900", "rtoSeconds: 901"))).not.toBe(hashOf(shop));
  });
});

describe("several plans", () => {
  test("one that is wrong does not stand in the way of the others", () => {
    const { plans, unreadable } = readPlans([{ file: "a.yaml", text: "plan: [" }, { file: "b.yaml", text: shop }, { file: "c.yaml", text: exampleText("demo") }], digest);
    expect(plans.map(({ file, plan }) => [file, plan.plan])).toEqual([["b.yaml", "shop"], ["c.yaml", "demo"]]);
    expect(unreadable.map(({ file }) => file)).toEqual(["a.yaml"]);
  });

  test("of two with one name the first counts, and the second is told so", () => {
    const { plans, unreadable } = readPlans([{ file: "a.yaml", text: shop }, { file: "b.yaml", text: exampleText("shop-shared") }], digest);
    expect(plans).toHaveLength(1);
    expect(unreadable).toMatchObject([{ file: "b.yaml", problems: [{ problem: expect.stringContaining("a.yaml") }] }]);
  });
});

describe("did you mean", () => {
  test.each([
    ["abuot", "about"],
    ["StorageClasses", "storageClasses"],
    ["storage_classes", "storageClasses"],
    ["confirmaton", "confirmation"],
    ["wolf", null],
    ["", null],
  ])("%s: %s", (word, meant) => {
    expect(nearest(word, ["about", "storageClasses", "confirmation", "plan"])).toBe(meant);
  });
});
