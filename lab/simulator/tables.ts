/** What was gone through, as tables for people: a line for each step, a column for each crash mode. */
import type { Found } from "./explore.ts";
import { crashModes } from "./strikes.ts";

export interface Counted {
  readonly played: number;
  readonly wrong: readonly Found[];
  /** What was asked for did not happen in it. */
  readonly missed: number;
  readonly ends: Readonly<Record<string, number>>;
}

export function counted(found: readonly Found[]): Counted {
  const ends: Record<string, number> = {};
  for (const { end } of found) ends[end] = (ends[end] ?? 0) + 1;
  return { played: found.length, wrong: found.filter(({ wrong }) => wrong !== null), missed: found.filter(({ missed }) => missed).length, ends };
}

const groups = (found: readonly Found[], keyOf: (one: Found) => string): ReadonlyMap<string, readonly Found[]> => {
  const all = new Map<string, Found[]>();
  for (const one of found) all.set(keyOf(one), [...(all.get(keyOf(one)) ?? []), one]);
  return all;
};

function cell(found: readonly Found[]): string {
  if (found.length === 0) return "none";
  const right = `${found.filter(({ missed }) => !missed).length}`;
  const wrong = found.filter(({ wrong: why }) => why !== null).length;
  return wrong > 0 ? `${wrong} WRONG` : right === "0" ? "not reached" : right;
}

/** Steps down, modes across. */
function crashTables(found: readonly Found[]): string {
  const modes = Object.entries(crashModes);
  const tables = [...groups(found, ({ of }) => of)].map(([of, inTable]) => {
    const rows = [...groups(inTable, ({ row }) => row)].map(([row, inRow]) => `| ${row} | ${modes.map(([mode]) => cell(inRow.filter(({ column }) => column === mode))).join(" | ")} |`);
    return `### ${of}: must end as ${[...new Set(inTable.map(({ end }) => end))].join(", ")}\n\n| Step | ${modes.map(([mode]) => mode).join(" | ")} |\n|---|${modes.map(() => "---|").join("")}\n${rows.join("\n")}`;
  });
  return `${modes.map(([mode, text]) => `${mode}. ${text}`).join("\n")}\n\n${tables.join("\n\n")}`;
}

/** A line for each scenario: how often it was stopped, how often it was too late, how it then ended. */
function abortTable(found: readonly Found[]): string {
  const rows = [...groups(found, ({ of }) => of)].map(([of, inTable]) => {
    const told = (status: string): readonly Found[] => inTable.filter(({ column }) => column.endsWith(`: ${status}`));
    const ends = (some: readonly Found[]): string => (some.length === 0 ? "none" : `${some.length} (${[...new Set(some.map(({ end }) => end))].join("; ")})`);
    return `| ${of} | ${inTable.length} | ${ends(told("202"))} | ${ends(told("409"))} | ${told("not asked").length} | ${inTable.filter(({ wrong }) => wrong !== null).length} |`;
  });
  return `| Scenario | Events | "It stops", and it ended as | "Too late", and it ended as | No run to stop yet, or any more | Wrong |\n|---|---|---|---|---|---|\n${rows.join("\n")}`;
}

/** The page that `npm run simulate -- --matrix --write` writes. */
export function matrixPage(crashes: readonly Found[], aborts: readonly Found[], commit: string): string {
  const [died, stopped] = [counted(crashes), counted(aborts)];
  return `# Crashes and aborts, everywhere

Written by \`npm run simulate -- --matrix --write\` at ${commit}. Each cell is a run of the app in the [simulator](simulator.md) in which a host dies in that
step and mode (two hosts, one goes on or both do), or a person asks the run to stop after that event. A run is right where it ends as it must and
no invariant is violated: nothing is done twice, and what people were told is so. ${died.played} crashes: ${died.wrong.length} wrong. ${stopped.played} aborts: ${stopped.wrong.length} wrong.

## A host dies

Each cell says how many runs were right: in modes 2 to 5 one for each call that the step waits for${died.missed === 0 ? "" : ` (${died.missed} of all crashes were not reached: the step took another way there)`}.

${crashTables(crashes)}

## A person asks the run to stop

After every event of the world's log and of the ledger, one run for each.

${abortTable(aborts)}
`;
}
