/** Who decided that a run goes on, in a sentence. Pure. */
import { spoken } from "./decision.ts";
import type { OpenRun } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** By the plan's own rule and the answers that were given; see `decisionAsked` for what was asked. */
export function decidedBy({ door, by, decisions }: Pick<OpenRun, "door" | "by" | "decisions">, { approval }: Pick<Plan, "approval">): string {
  if (door === "http" && approval.mode !== "approval") return `${by}, who started it`;
  const answers = decisions.filter(({ about }) => about === "decision");
  const named = (verdict: "approve" | "deny") => answers.filter((answer) => answer.verdict === verdict).map((answer) => answer.by);
  const [against, inFavour] = [named("deny"), named("approve")];
  if (against.length > 0) return `${against.join(", ")}: against it`;
  switch (approval.mode) {
    case "automatic":
      return `nobody was asked: ${approval.because}`;
    case "veto":
      return inFavour.length > 0 ? inFavour.join(", ") : `nobody objected; there were ${spoken(approval.windowSeconds)} for it`;
    case "approval":
      return `${inFavour.length === 0 ? "nobody" : inFavour.join(", ")}; ${approval.approvals} had to agree`;
  }
}
