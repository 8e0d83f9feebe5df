import { createHash } from "node:crypto";
import { problemLine, readPlan, type ReadPlan, type UnreadablePlan } from "../shared/domain/plan-file.ts";
import type { Plan } from "../shared/domain/plan.ts";
import { clashes } from "../shared/domain/plans-together.ts";
import { jsonLine, painted, type Terminal } from "./terminal.ts";

/** Prints every problem of every file, then how many plans are good. 1 when one of them is not. */
export function validatePlans(files: readonly string[], { json }: { readonly json: boolean }, terminal: Terminal): 0 | 1 {
  let invalid = 0;
  const plans: Plan[] = [];
  for (const file of files) {
    const read = beside(plans, readOne(file, terminal));
    switch (read.kind) {
      case "plan":
        plans.push(read.plan);
        terminal.out(json ? jsonLine("plan", { file, plan: read.plan.plan, hash: read.hash }) : `${painted(terminal, "green", "good")} ${file}: plan ${read.plan.plan}, ${painted(terminal, "dim", `sha256 ${read.hash.slice(0, 12)}`)}`);
        break;
      case "unreadable":
        invalid += 1;
        if (json) for (const problem of read.problems) terminal.out(jsonLine("problem", { file, ...problem }));
        else for (const line of problemLines(file, read, terminal)) terminal.out(line);
    }
  }
  if (json) terminal.out(jsonLine("summary", { valid: files.length - invalid, invalid }));
  else terminal.out(`${files.length - invalid} of ${files.length} ${files.length === 1 ? "plan is" : "plans are"} valid`);
  return invalid === 0 ? 0 : 1;
}

/** A good plan that cannot stand beside one of an earlier file is none. */
function beside(plans: readonly Plan[], read: ReadPlan | UnreadablePlan): ReadPlan | UnreadablePlan {
  const problems = read.kind === "plan" ? clashes(read.plan, plans) : [];
  return problems.length === 0 ? read : { kind: "unreadable", problems };
}

/** One line for each problem of a plan. */
export const problemLines = (file: string, { problems }: UnreadablePlan, terminal: Terminal): readonly string[] => problems.map((problem) => painted(terminal, "red", problemLine(file, problem)));

/** Reads one plan file; a file that cannot be opened is a problem like any other. */
export function readOne(file: string, terminal: Terminal): ReadPlan | UnreadablePlan {
  let text: string;
  try {
    text = terminal.read(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "unreadable", problems: [{ line: 1, column: 1, path: "", problem: `the file cannot be read: ${reason}`, remedy: "check the path and its permissions" }] };
  }
  return readPlan(text, (canonical) => createHash("sha256").update(canonical).digest("hex"));
}
