/** Content written to a volume before the loss, and looked for where it was restored: Velero says `Completed` of volumes that came back empty. */
import { createHash, randomBytes } from "node:crypto";
import type { Observed } from "../../shared/domain/report.ts";
import type { LabPair } from "../pair-in-a-box.ts";
import { primary, secondary } from "../world/pair.ts";
import type { Scenario } from "./scenarios.ts";

/** The shop's database, and a file beside its orders: large enough to be more than one block of Kopia's. */
const place = ["shop", "data-orders-0", "canary.bin"] as const;
const bytes = 3_000_000;

/** Its digest; `null` where this scenario loses no volume, or none has files of its own. */
export async function writeCanary({ engines }: LabPair, { plan }: Scenario): Promise<string | null> {
  const { volumes } = engines[primary.region];
  if (volumes === null || plan !== "shop") return null;
  const content = randomBytes(bytes);
  await volumes.write(...place, content);
  return createHash("sha256").update(content).digest("hex");
}

/** What became of it on the secondary's volume. */
export async function readCanary({ engines }: LabPair, before: string): Promise<NonNullable<Observed["canary"]>> {
  const after = (await engines[secondary.region].volumes?.digest(...place)) ?? null;
  return { equal: after === before, before, after };
}
