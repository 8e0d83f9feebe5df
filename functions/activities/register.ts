/** The register of a plan's restore points at home: read, merged, written by compare-and-swap; what opens or closes goes into the ledger. */
import { afterLook, findingEntryName, type KeptFinding, told } from "../../shared/domain/findings.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import { emptyRegister, mergeRegisters, type Register, registerOf, withHistory } from "../../shared/domain/register.ts";
import { findingsOf } from "../../shared/domain/standing.ts";
import { type Home, WorldError } from "../../shared/ports.ts";

const registerName = (plan: string): string => `registers/${plan}/restore-points.json`;
const swapsMax = 10;

export async function readRegister(home: Home, plan: string): Promise<Register> {
  const stored = await home.read(registerName(plan));
  return stored === null ? emptyRegister : registerIn(plan, stored.body);
}

/** Throws with what to do where it cannot be made out: nobody but a person may give up what was known. */
function registerIn(plan: string, body: string): Register {
  try {
    return registerOf(body);
  } catch (error) {
    throw new Error(`${registerName(plan)} at home cannot be read (${error instanceof Error ? error.message : String(error)}): put an earlier version of it back, or delete it, and everything is read anew`, { cause: error });
  }
}

export interface RegisterWritten {
  readonly register: Register;
  /** What opened or closed by this. */
  readonly changed: readonly KeptFinding[];
}

/**
 * Merges what was found into what is known, notes which points changed their state, and opens and closes findings. Doing it twice is doing it
 * once, so a repeat does no harm.
 */
export async function mergeIntoRegister(home: Home, plan: Plan, found: Register, nowAt: number): Promise<RegisterWritten> {
  const name = registerName(plan.plan);
  for (let swap = 0; swap < swapsMax; swap++) {
    const stored = await home.read(name);
    const before = stored === null ? emptyRegister : registerIn(plan.plan, stored.body);
    const merged = withHistory(before, mergeRegisters(before, found));
    const { findings, changed } = afterLook(merged.findings, findingsOf(merged, plan, nowAt), nowAt);
    const register = { ...merged, findings };
    const body = JSON.stringify(register);
    if (stored === null ? !(await home.create(name, body)) : (await home.replace(name, body, stored.etag)) === null) continue;
    await tellLedger(home, plan.plan, register, nowAt);
    return { register, changed };
  }
  throw new WorldError("write the register", plan.plan, `${swapsMax} others were faster`, { retryAfterSeconds: 1 });
}

/** What changed this recently is written again: whoever made the change may have died before its record was written. */
const recentMs = 3_600_000;
/** Records that this process has written. Bounded: the oldest goes first. */
const written = new WeakMap<Home, Set<string>>();
const writtenMax = 1_000;

/** One write-once record for each opening and each closing, beside the records of runs. */
async function tellLedger(home: Home, plan: string, { findings }: Register, nowAt: number): Promise<void> {
  const known = written.get(home) ?? new Set<string>();
  written.set(home, known);
  const recent = Object.values(findings).flatMap((finding) => [
    ...(finding.openedAt >= nowAt - recentMs ? [{ ...finding, seenAt: finding.openedAt, closedAt: null }] : []),
    ...(finding.closedAt !== null && finding.closedAt >= nowAt - recentMs ? [finding] : []),
  ]);
  for (const finding of recent) {
    const name = findingEntryName(plan, finding);
    if (known.has(name)) continue;
    await home.create(name, JSON.stringify(told(finding), null, 1));
    known.add(name);
    for (const oldest of known) {
      if (known.size <= writtenMax) break;
      known.delete(oldest);
    }
  }
}
