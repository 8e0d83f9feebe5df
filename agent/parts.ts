/** What the lease agent is made of: who plays them, the entry, the lab or a test, decides. */
import type { FenceLimits } from "../shared/fence/quiet.ts";
import type { Cluster, Home } from "../shared/ports.ts";

/** Time as the agent counts it. `monotonicMs` never jumps when somebody sets the clock; `nowAt` is for people alone. */
export interface AgentClock {
  monotonicMs(): number;
  /** UTC milliseconds. */
  nowAt(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The plan as it was last read, kept in the cluster: an agent that starts while home is silent must know what to close. */
export interface Memory {
  recall(): Promise<string | null>;
  keep(planText: string): Promise<void>;
}

export type AgentLog = (event: string, fields: Readonly<Record<string, unknown>>) => void;

export interface AgentParts {
  readonly plan: string;
  /** Resource id of the cluster it stands in: in any other than the plan's primary it does nothing. */
  readonly clusterId: string;
  /** Another one with every start. */
  readonly id: string;
  readonly home: Home;
  readonly cluster: Cluster;
  readonly clock: AgentClock;
  readonly memory: Memory;
  readonly log: AgentLog;
  readonly limits?: FenceLimits;
}
