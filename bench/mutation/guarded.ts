/** A group of files with the tests that hold them, and how many of its mutants must be killed. */
export interface MutationGroup {
  readonly name: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
  /** Between 0 and 1. */
  readonly least: number;
}

const domain = (name: string): string => `shared/domain/${name}.ts`;
const test = (name: string): string => `test/domain/${name}.test.ts`;

/** What decides whether users are moved and data is given up: gates, fence, what an agent proves and does, epoch, approval, abort, takeover. Every mutant must be killed. */
export const guarded: MutationGroup = {
  name: "guarded",
  files: ["gate", "fence", "lease", "agent-duty", "ledger", "ledger-takeover", "asked"].map(domain),
  tests: ["gate", "fence", "lease", "agent-duty", "ledger", "ledger-takeover", "asked"].map(test),
  least: 1,
};

/** The other rules of the domain that a run goes by. */
export const rules: MutationGroup = {
  name: "rules",
  files: ["health", "ledger-alerts", "ledger-chain", "ledger-read", "people", "restore-point-choice"].map(domain),
  tests: ["health", "asked", "ledger-alerts", "ledger-chain", "ledger-read", "people", "restore-point-choice", "runbook-terms"].map(test),
  least: 0.9,
};
