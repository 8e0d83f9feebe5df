import { leaseName, type LeaseSeen, readLease } from "../../shared/domain/lease.ts";
import type { Home } from "../../shared/ports.ts";

/** The lease of the plan's agent as it lies at home, with the store's own instants. `null`: there is none. */
export async function leaseSeen(home: Pick<Home, "dated">, plan: string): Promise<LeaseSeen | null> {
  const found = (await home.dated?.(leaseName(plan))) ?? null;
  return found === null ? null : { lease: readLease(found.body, plan), writtenAt: found.writtenAt, storeNowAt: found.answeredAt };
}
