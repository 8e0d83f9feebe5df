/** An agent in a primary in memory, under a clock that a test moves. */
import { LeaseAgent } from "../../agent/lease-agent.ts";
import type { AgentParts } from "../../agent/parts.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { type Head, headName, newHead, openRun, turnPhase } from "../../shared/domain/ledger.ts";
import { type Lease, leaseName, readLease, type Wish, wishName } from "../../shared/domain/lease.ts";
import { planName } from "../../shared/domain/plan-name.ts";
import { memoryWorld } from "../activities/memory-world.ts";
import { object } from "../activities/run.ts";
import { examplePlan, exampleText } from "../domain/example-plans.ts";

/** The example plan with an agent whose figures are all given. */
export const agentPlanText = (more = ""): string => exampleText("shop-replicated").replace("\nfence:\n", `\nfence:\n  agent: { renewSeconds: 10, leaseSeconds: 60, closingSeconds: 90, marginSeconds: 45${more} }\n`);

const plan = examplePlan("shop-replicated");

/** The head of a ledger whose run of this epoch fences. */
export function fencing(epoch: number): Head {
  const opened = openRun({ ...newHead("shop"), epoch: epoch - 1 }, { kind: "failover", door: "alert", by: "rule", reason: "dark", alertId: "a", applications: [] }, "hash", 0);
  const turned = opened.kind === "changed" ? turnPhase(opened.head, { epoch, end: null, begin: "fence" }, 0, null) : opened;
  if (turned.kind === "refused") throw new Error(turned.why);
  return turned.head;
}

export async function agentStage(more: Partial<AgentParts> = {}) {
  const memory = memoryWorld();
  const { home, time } = memory;
  const cluster = memory.clusterOf(plan.primary.cluster);
  cluster.has(kinds.deployments, object("storefront", "shop", { spec: { replicas: 5 } }));
  cluster.has(kinds.statefulSets, object("orders", "shop", { spec: { replicas: 1 } }));
  cluster.has(kinds.schedules, object("shop-hourly", "velero", { spec: { schedule: "0 * * * *" } }));
  await home.put(planName("shop"), agentPlanText());
  const kept = { text: null as string | null };
  const log: { event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const sleepers: { readonly dueMs: number; readonly wakeUp: () => void }[] = [];
  const clock = {
    monotonicMs: () => time.now,
    nowAt: () => time.now,
    sleep: (ms: number) => new Promise<void>((wakeUp) => void sleepers.push({ dueMs: time.now + ms, wakeUp })),
  };
  const parts: AgentParts = { plan: "shop", clusterId: plan.primary.cluster, id: "agent-1", home, cluster, clock, memory: { recall: async () => kept.text, keep: async (text) => void (kept.text = text) }, log: (event, fields) => void log.push({ event, fields }), limits: { seconds: 5, podPausesMs: [1] }, ...more };
  const agent = new LeaseAgent(parts);
  const head = async (change: Partial<Head>) => home.put(headName("shop"), JSON.stringify({ ...newHead("shop"), ...change }));

  return {
    ...memory,
    plan,
    cluster,
    parts,
    agent,
    kept,
    log,
    clock,
    /** As it was, for a test that puts another in its place. */
    put: home.put.bind(home),
    /** Time goes by; whoever slept as long wakes up. */
    advance(seconds: number): void {
      time.now += seconds * 1_000;
      for (const sleeper of sleepers.splice(0)) if (sleeper.dueMs <= time.now) sleeper.wakeUp();
        else sleepers.push(sleeper);
    },
    /** Turns until there is nothing more to be told at once. */
    async settle(): Promise<number> {
      for (let turn = 0; turn < 5; turn++) {
        const waitMs = await agent.turn();
        if (waitMs > 0) return waitMs;
      }
      throw new Error("it does not settle");
    },
    head,
    /** A run asks, and the ledger knows it: it fences, or it is over. */
    async asks(kind: Wish["kind"], epoch: number, known: Partial<Head> = kind === "close" ? fencing(epoch) : { epoch }): Promise<void> {
      await head(known);
      await home.put(wishName("shop"), JSON.stringify({ format: 1, plan: "shop", epoch, runId: `shop-${epoch}`, kind, at: time.now } satisfies Wish));
    },
    lease: (): Lease | null => readLease(home.blobs.get(leaseName("shop"))?.body ?? "", "shop"),
    specs: () => [cluster.spec(kinds.deployments, "shop", "storefront"), cluster.spec(kinds.statefulSets, "shop", "orders"), cluster.spec(kinds.schedules, "velero", "shop-hourly")],
    said: (event: string) => log.filter((line) => line.event === event).map(({ fields }) => fields),
  };
}

export const serving = [{ replicas: 5 }, { replicas: 1 }, { schedule: "0 * * * *", paused: false }] as const;
export const untouched = [{ replicas: 5 }, { replicas: 1 }, { schedule: "0 * * * *" }] as const;
export const stopped = [{ replicas: 0 }, { replicas: 0 }, { schedule: "0 * * * *", paused: true }] as const;
