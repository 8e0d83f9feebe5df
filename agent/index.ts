/** The lease agent as a program: settings, clients, its life. The one place of it that reads the environment. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readAgentConfig } from "../shared/agent-config.ts";
import { ConfigError } from "../shared/config.ts";
import { ownCluster, ownHome } from "./in-cluster.ts";
import { live } from "./live.ts";
import { serveLivez } from "./livez.ts";
import { openMemory } from "./memory.ts";
import type { AgentClock, AgentLog } from "./parts.ts";

const log: AgentLog = (event, fields) => void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), event, ...fields })}\n`);
// Nobody sets this clock, and it goes on while the process stands still.
const clock: AgentClock = { monotonicMs: () => performance.now(), nowAt: () => Date.now(), sleep: async (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }) };

try {
  const config = readAgentConfig(process.env);
  const { cluster, namespace } = await ownCluster(config);
  const livez = await serveLivez(config.healthPort, () => clock.monotonicMs());
  const ending = new AbortController();
  // It ends as it is: the application stays as it stands, and the lease runs on for whoever starts next.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
  const { plan, clusterId } = config;
  log("agent.started", { plan, clusterId, livez: livez.port });
  await live({ plan, clusterId, id: randomUUID(), home: ownHome(config), cluster, clock, memory: openMemory(cluster, namespace, plan), log }, ending.signal, () => livez.turned());
  await livez.close();
} catch (error) {
  log("agent.failed", { why: error instanceof ConfigError ? error.problems : error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
