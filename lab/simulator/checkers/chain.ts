/** Whether what was written down can still be shown to be unchanged: S23. */
import { createHash } from "node:crypto";
import { verifyChain } from "../../../shared/domain/ledger-chain.ts";
import { planName } from "../plan.ts";
import { reportsOf } from "./endings.ts";
import type { Evidence, Violation } from "./violation.ts";
import { wrong } from "./violation.ts";

export function chainIsWhole(evidence: Evidence): readonly Violation[] {
  const { home } = evidence.sim.pair;
  const head = evidence.sim.head();
  if (head === null) return [];
  const at = evidence.sim.scheduler.now;
  const verdict = verifyChain(planName, { names: [...home.blobs.keys()], read: (name) => home.read(name)?.body ?? null }, (text) => createHash("sha256").update(text).digest("hex"), reportsOf(evidence).map(({ digest }) => digest));
  return verdict.kind === "whole" ? [] : [wrong("S23", at, `the ledger's chain is broken at ${verdict.name}: ${verdict.why}`)];
}
