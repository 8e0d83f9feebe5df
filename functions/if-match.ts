/** The epoch that somebody decided upon, as If-Match carries it. */
import type { HttpResponseInit } from "@azure/functions";
import { problem } from "./answers.ts";

export type SeenEpoch = { readonly kind: "epoch"; readonly epoch: number } | { readonly kind: "unreadable"; readonly response: HttpResponseInit };

const how = "GET /api/plans/{plan} has it as its ETag";

/** `2` and `"2"` are taken. 428 where nothing is sent, 400 where it is no epoch. */
export function readEpoch(header: string | null): SeenEpoch {
  const given = header?.trim() ?? "";
  const unreadable = (response: HttpResponseInit): SeenEpoch => ({ kind: "unreadable", response });
  if (given === "") return unreadable(problem(428, "which state did you see?", `send the plan's epoch in If-Match: ${how}`));
  const epoch = /^(?:"(\d{1,9})"|(\d{1,9}))$/.exec(given);
  if (epoch !== null) return { kind: "epoch", epoch: Number(epoch[1] ?? epoch[2]) };
  return unreadable(problem(400, "which state did you see?", `${whyNot(given)}: send the plan's epoch in If-Match, as 2 or "2"; ${how}`));
}

function whyNot(given: string): string {
  if (given.startsWith("W/")) return "If-Match holds a weak tag (W/), which says that two states are alike, not that they are the same; something between you and this app may have weakened it";
  if (given === "*") return "If-Match is *, which fits every state";
  return "If-Match is not an epoch";
}
