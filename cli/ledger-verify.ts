import { createHash } from "node:crypto";
import { type LedgerCopy, plansIn, verifyChain } from "../shared/domain/ledger-chain.ts";
import { jsonLine, painted, type Terminal } from "./terminal.ts";

/** Follows the chain of every plan in a copy of the home container. 1 when one of them does not hold; 2 when there is no ledger. */
export function verifyLedgers(directory: string, { json }: { readonly json: boolean }, terminal: Terminal): 0 | 1 | 2 {
  let names: readonly string[];
  try {
    names = terminal.list(directory);
  } catch (error) {
    terminal.err(`${directory} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const copy: LedgerCopy = { names, read: (name) => (names.includes(name) ? terminal.read(`${directory}/${name}`) : null) };
  const plans = plansIn(copy);
  if (plans.length === 0) {
    terminal.err(`${directory} holds no ledger: it must be a copy of the whole home container, with \`ledger\` and \`reports\` in it`);
    return 2;
  }
  let code: 0 | 1 = 0;
  for (const plan of plans) {
    const verdict = verifyChain(plan, copy, (text) => createHash("sha256").update(text).digest("hex"), reportedDigests(plan, copy));
    if (verdict.kind === "broken") code = 1;
    if (json) terminal.out(jsonLine("ledger", { plan, ...verdict }));
    else if (verdict.kind === "whole")
      terminal.out(`${painted(terminal, "green", "whole")} ${plan}: ${verdict.runs} ${verdict.runs === 1 ? "run" : "runs"}, ${verdict.links} links over ${verdict.entries} entries, ${painted(terminal, "dim", `digest ${verdict.digest}`)}${lateText(verdict.late)}`);
    else terminal.out(`${painted(terminal, "red", "broken")} ${plan}: ${verdict.name}: ${verdict.why}`);
  }
  return code;
}

/** Records that came when their phase had ended, where there are any. */
const lateText = (late: readonly string[]): string => (late.length === 0 ? "" : `; ${late.length === 1 ? "one record" : `${late.length} records`} came when the phase had ended, so nothing was decided by it and no link covers it: ${late.join(", ")}`);

/** The digests that the plan's reports name. A report that cannot be read is the reader's to see, not the chain's. */
function reportedDigests(plan: string, { names, read }: LedgerCopy): readonly string[] {
  return names.flatMap((name) => {
    if (!/^reports\/[^/]+\/report\.json$/.test(name)) return [];
    try {
      const report = JSON.parse(read(name) ?? "") as { readonly plan?: unknown; readonly digest?: unknown };
      return report.plan === plan && typeof report.digest === "string" ? [report.digest] : [];
    } catch {
      return [];
    }
  });
}
