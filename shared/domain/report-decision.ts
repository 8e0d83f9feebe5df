/** Who decided that a run goes on, in a sentence. Pure. */
import { spoken } from "./decision.ts";
import type { OpenRun } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** By the plan's own rule and the answers that were given; see `decisionAsked` for what was asked. `above`: more was lost than the objective allows, which a person must agree to. */
export function decidedBy({ door, by, decisions }: Pick<OpenRun, "door" | "by" | "decisions">, { approval }: Pick<Plan, "approval">, above = false): string {
  const answers = decisions.filter(({ about }) => about === "decision");
  const named = (verdict: "approve" | "deny") => answers.filter((answer) => answer.verdict === verdict).map((answer) => answer.by);
  const byHand = door === "http" && approval.mode !== "approval";
  if (byHand && !above) return `${by}, who started it`;
  const [against, inFavour] = [named("deny"), named("approve")];
  if (against.length > 0) return `${against.join(", ")}: against it`;
  const agreed = inFavour.length === 0 ? "nobody" : inFavour.join(", ");
  if (approval.mode === "approval") return `${agreed}; ${approval.approvals} had to agree`;
  if (above) return `${agreed}; one had to agree to a loss above the objective${byHand ? `; ${by} started it` : ""}`;
  if (approval.mode === "automatic") return `nobody was asked: ${approval.because}`;
  return inFavour.length > 0 ? agreed : `nobody objected; there were ${spoken(approval.windowSeconds)} for it`;
}
