/** The agent's life: turn after turn until it is told to end. It ends as it is: whoever starts next finds what it closed. */
import type { AgentParts } from "./parts.ts";
import { LeaseAgent } from "./lease-agent.ts";

/** After a turn that failed in a way nobody foresaw, milliseconds. */
const stumbleMs = 1_000;

/** `onTurn` is called after each turn: an agent that takes none any more is to be started anew. */
export async function live(parts: AgentParts, signal: AbortSignal, onTurn: (agent: LeaseAgent) => void = () => undefined): Promise<void> {
  const agent = new LeaseAgent(parts);
  await agent.recall();
  while (!signal.aborted) {
    const waitMs = await agent.turn().catch((error: unknown) => {
      parts.log("agent.stumbled", { why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      return stumbleMs;
    });
    onTurn(agent);
    // An abort in the middle of it is how it ends.
    await parts.clock.sleep(waitMs, signal).catch(() => undefined);
  }
}
