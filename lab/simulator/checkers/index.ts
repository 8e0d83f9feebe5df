/** All checkers, and the invariants of docs/simulator.md that each of them holds. */
import { agentActsWithCause, agentKeepsClosed } from "./agent.ts";
import { bounded, epochsGrow, intendedFirst, onceOnly, replaysAgree, sameRequest, stillAfterEnd, stopsSoon, storesUntouched } from "./effects.ts";
import { abortIsTrue, alertsAreKept, comesToItsEnd, lossAgreed, lossIsTrue, recovers, reportIsTrue } from "./endings.ts";
import { chainIsWhole } from "./chain.ts";
import type { Checker, Evidence, Violation } from "./violation.ts";
import { approved, consumersHeld, fencedBeforeOpen, lookedAgain, noThinEvidence, singleWriter, verifiedBeforeOpen } from "./writers.ts";

const checkers: readonly Checker[] = [
  singleWriter,
  fencedBeforeOpen,
  verifiedBeforeOpen,
  agentKeepsClosed,
  agentActsWithCause,
  noThinEvidence,
  lookedAgain,
  approved,
  consumersHeld,
  onceOnly,
  sameRequest,
  epochsGrow,
  stillAfterEnd,
  intendedFirst,
  storesUntouched,
  replaysAgree,
  bounded,
  stopsSoon,
  comesToItsEnd,
  abortIsTrue,
  reportIsTrue,
  lossIsTrue,
  lossAgreed,
  alertsAreKept,
  recovers,
  chainIsWhole,
];

/** The first of each kind is enough to know. */
export function check(evidence: Evidence): readonly Violation[] {
  const all = checkers.flatMap((checker) => checker(evidence)).toSorted((a, b) => a.at - b.at);
  return all.filter(({ invariant }, at) => all.findIndex((other) => other.invariant === invariant) === at);
}
