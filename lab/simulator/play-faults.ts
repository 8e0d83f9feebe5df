/** Plays the catalogue's faults and makes the page of them. */
import type { Fault, Showing, Tier } from "./fault.ts";
import type { Simulator } from "./load.ts";
import type { Check, Said } from "./play-tests.ts";
import type { Scenario } from "./scenario.ts";
import type { Line } from "./story.ts";

/** What became of one fault in one strength. */
export type Played =
  | {
      readonly kind: "scenario";
      readonly ends: readonly string[];
      /** The step during which it struck first; empty: it is a matter of the whole run. */
      readonly step: string;
      readonly violations: readonly string[];
    }
  | ({ readonly kind: "check"; readonly check: Check } & Said)
  | { readonly kind: "not"; readonly why: string };

export interface FaultRow {
  readonly fault: Fault;
  readonly transient: Played;
  readonly permanent: Played;
}

/** `said`: what the tests that the catalogue names have said. */
export async function playFaults(list: readonly Fault[], simulator: Simulator, said: (check: Check) => Said): Promise<readonly FaultRow[]> {
  const rows: FaultRow[] = [];
  for (const fault of list) rows.push({ fault, transient: await playOne(fault.transient, simulator, said), permanent: await playOne(fault.permanent, simulator, said) });
  return rows;
}

async function playOne(showing: Showing, simulator: Simulator, said: (check: Check) => Said): Promise<Played> {
  switch (showing.kind) {
    case "scenario":
      return playScenario(showing.scenario, simulator);
    case "check":
      return { kind: "check", check: showing, ...said(showing) };
    case "not":
      return showing;
  }
}

async function playScenario(scenario: Scenario, simulator: Simulator): Promise<Played> {
  const { outcomes, violations, story } = await simulator.playOut(scenario);
  return { kind: "scenario", ends: outcomes, step: scenario.troubles.length === 0 ? "" : struckDuring(story.lines), violations: violations.map(({ invariant, what }) => `${invariant}: ${what}`) };
}

const strikes = /: (refused with|done, and its answer lost|takes \d)|^(dies|stands still)|\(delivery 2\)|scales the secondary's storefront/;

function struckDuring(story: readonly Line[]): string {
  const at = story.findIndex(({ what }) => strikes.test(what));
  const begun = story.slice(0, at).findLast(({ what }) => what.startsWith("begins "))?.what;
  return at === -1 ? "" : (begun?.slice("begins ".length) ?? "a door");
}

/** What speaks against the app in one strength of a fault; empty: nothing. */
export function against(played: Played): readonly string[] {
  switch (played.kind) {
    case "scenario":
      return played.violations;
    case "check":
      return played.said === "holds" ? [] : [`${played.said}: ${played.check.file}: ${played.check.title}`];
    case "not":
      return [];
  }
}

/** How many faults each tier has, in the words of the page and of the last line of JSON. */
export function byTier(rows: readonly FaultRow[]): Readonly<Record<Tier, number>> {
  const count = (tier: Tier): number => rows.filter(({ fault }) => fault.tier === tier).length;
  return { simulator: count("simulator"), lab: count("lab"), real: count("real"), test: count("test"), argument: count("argument") };
}

/** The page that `npm run simulate -- --faults --write` writes. */
export function faultsPage(rows: readonly FaultRow[], commit: string): string {
  const { simulator, lab, real, test, argument } = byTier(rows);
  return `# Faults

Written by \`npm run simulate -- --faults --write\` at ${commit}, which plays each scenario and runs each test that is named here; those that take
minutes, or real clusters, were run last at the commit that stands with them (\`--deep\`, \`--real\`, kept in [faults-recorded.json](faults-recorded.json)). ${rows.length} faults:
${simulator} are played in the [simulator](simulator.md), ${lab} in the lab over HTTP, ${real} on real Kubernetes and Velero, ${test} by tests of their own; ${argument} cannot be
played: their rows say why they cannot harm, and which check stands for that. A cell says how the run ended, with no invariant violated, or which
test holds.

| | Fault | Tier | For a moment, or a little | For good, or worse | Where it struck, or why it cannot harm; what plays it |
|---|---|---|---|---|---|
${rows.map(rowText).join("\n")}
`;
}

function cellText(played: Played): string {
  switch (played.kind) {
    case "scenario":
      return played.violations.length > 0 ? `VIOLATED: ${played.violations.join("; ")}` : endsText(played.ends);
    case "check":
      return `${played.said}${played.recordedAt === null ? "" : ` (at ${played.recordedAt})`}: “${cell(played.full)}”`;
    case "not":
      return `does not exist: ${played.why}`;
  }
}

/** A run's end, or those of several, one after the other. */
function endsText(ends: readonly string[]): string {
  const [first] = ends;
  if (first === undefined) return "no run";
  return ends.length > 2 && ends.every((end) => end === first) ? `${first}, ${ends.length} runs one after the other` : ends.join(", then ");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function rowText({ fault, transient, permanent }: FaultRow): string {
  const both = [transient, permanent];
  const steps = both.flatMap((played) => (played.kind === "scenario" ? [played.step || "the whole run"] : []));
  const files = both.flatMap((played) => (played.kind === "check" ? [`\`${played.check.file}\``] : []));
  const where = [...new Set([...(fault.why === null ? [] : [fault.why]), ...steps, ...files])].join("; ");
  return `| ${fault.id} | ${fault.fault} | ${fault.tier} | ${cellText(transient)} | ${cellText(permanent)} | ${cell(where)} |`;
}
