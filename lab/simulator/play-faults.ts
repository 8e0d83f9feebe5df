/** Plays the catalogue's faults and makes the page of them. */
import type { Fault } from "./fault-catalogue.ts";
import type { Simulator } from "./load.ts";
import type { Scenario } from "./scenario.ts";
import type { Line } from "./story.ts";

/** What became of one fault in one strength. */
export interface FaultPlayed {
  readonly ends: readonly string[];
  /** The step during which it struck first; empty: it is a matter of the whole run. */
  readonly step: string;
  readonly violations: readonly string[];
}

export interface FaultRow {
  readonly fault: Fault;
  readonly transient: FaultPlayed | null;
  readonly permanent: FaultPlayed | null;
}

export async function playFaults(list: readonly Fault[], simulator: Simulator): Promise<readonly FaultRow[]> {
  const rows: FaultRow[] = [];
  for (const fault of list) rows.push(fault.tier === "simulator" ? { fault, transient: fault.transient && (await playOne(fault.transient, simulator)), permanent: fault.permanent && (await playOne(fault.permanent, simulator)) } : { fault, transient: null, permanent: null });
  return rows;
}

async function playOne(scenario: Scenario, simulator: Simulator): Promise<FaultPlayed> {
  const { outcomes, violations, story } = await simulator.playOut(scenario);
  return { ends: outcomes, step: scenario.troubles.length === 0 ? "" : struckDuring(story), violations: violations.map(({ invariant, what }) => `${invariant}: ${what}`) };
}

const strikes = /: (refused with|done, and its answer lost|takes \d)|^(dies|stands still)|\(delivery 2\)|scales the secondary's storefront/;

function struckDuring(story: readonly Line[]): string {
  const at = story.findIndex(({ what }) => strikes.test(what));
  const begun = story.slice(0, at).findLast(({ what }) => what.startsWith("begins "))?.what;
  return at === -1 ? "" : (begun?.slice("begins ".length) ?? "a door");
}

/** The page that `npm run simulate -- --faults --write` writes. */
export function faultsPage(rows: readonly FaultRow[], commit: string): string {
  const count = (tier: Fault["tier"]): number => rows.filter(({ fault }) => fault.tier === tier).length;
  const openOnes = count("open");
  return `# Faults

Written by \`npm run simulate -- --faults --write\` at ${commit}. ${rows.length} faults: ${count("simulator")} are played in the [simulator](simulator.md), ${count("lab")} in the lab over HTTP, ${count("real")} on
real Kubernetes and Velero, ${count("test")} by tests of their own; ${count("argument")} cannot be played, and a check stands for each; ${openOnes} are open: nothing plays them yet.

| | Fault | Tier | For a moment, or a little | For good, or worse | Where it struck, or what plays it |
|---|---|---|---|---|---|
${rows.map(rowText).join("\n")}
`;
}

const endText = (played: FaultPlayed | null): string => (played === null ? "none" : played.violations.length > 0 ? `VIOLATED: ${played.violations.join("; ")}` : played.ends.length === 0 ? "no run" : played.ends.join(", then "));

function rowText({ fault, transient, permanent }: FaultRow): string {
  const where = ((): string => {
    switch (fault.tier) {
      case "simulator":
        return [...new Set([transient, permanent].flatMap((played) => (played === null || played.step === "" ? [] : [played.step])))].join(", ") || "the whole run";
      case "lab":
      case "real":
      case "test":
        return `\`${fault.check}\``;
      case "argument":
        return `${fault.why}: \`${fault.check}\``;
      case "open":
        return fault.why;
    }
  })();
  const [first, second] = fault.tier === "simulator" ? [endText(transient), endText(permanent)] : ["", ""];
  return `| ${fault.id} | ${fault.fault} | ${fault.tier} | ${first} | ${second} | ${where} |`;
}
