import type { Finding } from "../../shared/domain/findings.ts";
import { WorldError } from "../../shared/ports.ts";

/** What a look has found; or that nobody knows, because `what` could not be read. */
export async function orUnread(what: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof WorldError)) throw error;
    return [{ kind: "unknown", point: null, fact: `${what} could not be read: ${error.message}` }];
  }
}
