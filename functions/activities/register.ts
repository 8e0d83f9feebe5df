/** The register of a plan's restore points at home: read, merged, written by compare-and-swap. */
import { emptyRegister, mergeRegisters, type Register } from "../../shared/domain/register.ts";
import { type Home, WorldError } from "../../shared/ports.ts";

const registerName = (plan: string): string => `registers/${plan}/restore-points.json`;
const swapsMax = 10;

export async function readRegister(home: Home, plan: string): Promise<Register> {
  const stored = await home.read(registerName(plan));
  return stored === null ? emptyRegister : (JSON.parse(stored.body) as Register);
}

/** Merges what was found into what is known. Merging twice is merging once, so a repeat does no harm. */
export async function mergeIntoRegister(home: Home, plan: string, found: Register): Promise<void> {
  for (let swap = 0; swap < swapsMax; swap++) {
    const stored = await home.read(registerName(plan));
    const merged = JSON.stringify(mergeRegisters(stored === null ? emptyRegister : (JSON.parse(stored.body) as Register), found));
    if (stored === null ? await home.create(registerName(plan), merged) : (await home.replace(registerName(plan), merged, stored.etag)) !== null) return;
  }
  throw new WorldError("write the register", plan, `${swapsMax} others were faster`, { retryAfterSeconds: 1 });
}
