/** `npm run simulate -- --faults`: plays the catalogue, its scenarios and its tests, and says what came of it. */
import { writeFileSync } from "node:fs";
import { faults } from "./fault-catalogue.ts";
import { loadSimulator } from "./load.ts";
import { against, byTier, faultsPage, playFaults } from "./play-faults.ts";
import { checksOf, playTests } from "./play-tests.ts";

/** `write` puts it into docs/faults.md; `deep` runs the tests that take minutes too, `real` starts real clusters for those that want them. Returns the exit code: 0 where nothing speaks against the app. */
export async function tellFaults({ write, deep, real }: { readonly write: boolean; readonly deep: boolean; readonly real: boolean }, commit: string): Promise<number> {
  const said = await playTests(checksOf(faults), ["usual", ...(deep ? (["deep"] as const) : []), ...(real ? (["real"] as const) : [])], commit);
  const rows = await playFaults(faults, await loadSimulator(), said);
  if (write) writeFileSync(new URL("../../docs/faults.md", import.meta.url), faultsPage(rows, commit));
  const wrong = rows.flatMap(({ fault, transient, permanent }) => [...against(transient), ...against(permanent)].map((what) => `${fault.id} ${fault.fault}: ${what}`));
  for (const line of wrong) process.stdout.write(`${line}\n`);
  process.stdout.write(`${JSON.stringify({ faults: rows.length, ...byTier(rows), wrong: wrong.length, commit })}\n`);
  return wrong.length === 0 ? 0 : 1;
}
