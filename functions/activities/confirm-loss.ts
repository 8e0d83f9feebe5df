import { kinds } from "../../shared/domain/kinds.ts";
import { damageOf } from "../../shared/domain/damage.ts";
import { nodeState } from "../../shared/domain/cluster-objects.ts";
import { type Reading, type Soak, type SoakStep, soak } from "../../shared/domain/health.ts";
import type { Plan, Signal } from "../../shared/domain/plan.ts";
import type { ProbeAnswer, World } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Duty, Work } from "./perform.ts";

/** One round of all signals, side by side, judged with the rounds before it. Only looks. */
export const confirmLoss: Work<typeof steps.confirmLoss> = async ({ state }, duty) => judged((state ?? null) as Soak | null, duty, duty.plan.confirmation);

/**
 * One more round after all that was waited for, without a soak: what was confirmed once must be seen again. Users were down then, so
 * users who are served now are back.
 */
export const stillLost: Work<typeof steps.stillLost> = async (_, duty) => {
  const at = duty.world.clock.now();
  return judged({ firstAskedAt: at, downSinceAt: null, firstDownAt: null, lastAskedAt: at, usersWereDown: true, usersUpSinceAt: null }, duty, { ...duty.plan.confirmation, soakSeconds: 0 });
};

async function judged(state: Soak | null, { world, plan }: Duty, confirmation: Plan["confirmation"]): Promise<SoakStep> {
  const { signals, controls, timeoutSeconds } = confirmation;
  const [readings, answers] = await Promise.all([
    Promise.all(signals.map((signal) => read(signal, plan, world))),
    Promise.all(controls.map((url) => world.probes.get(url, { timeoutSeconds }))),
  ]);
  const answered = answers.some(({ kind }) => kind === "answered") ? "answer" : "silent";
  return soak(state, readings, answered, world.clock.now(), confirmation);
}

async function read(signal: Signal, plan: Plan, world: World): Promise<Reading> {
  try {
    return { signal: signal.kind, ...(await ask(signal, plan, world)) };
  } catch (error) {
    // Not being able to look says nothing about what is there.
    return { signal: signal.kind, says: "unknown", about: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether users' pages are served there at this moment, endpoint or not. One page that is, is enough; who cannot be seen does not serve. */
export async function servesNow(plan: Plan, world: World): Promise<boolean> {
  const pages = plan.confirmation.signals.filter(({ kind }) => kind === "public-probe" || kind === "backend-probe");
  const readings = await Promise.all((pages.length > 0 ? pages : [{ kind: "public-probe", path: "/" } as const]).map(async (signal) => read(signal, plan, world)));
  return readings.some(({ says }) => says === "up");
}

type Says = Pick<Reading, "says" | "about" | "damage">;

async function ask(signal: Signal, plan: Plan, world: World): Promise<Says> {
  const { timeoutSeconds } = plan.confirmation;
  switch (signal.kind) {
    case "public-probe":
    case "backend-probe": {
      const url = new URL(signal.path, plan.traffic.publicUrl).href;
      return probed(await world.probes.get(url, { timeoutSeconds, connectTo: new URL(plan.primary.ingress).hostname }));
    }
    case "kubernetes-api":
      return askKubernetes(plan, world);
    case "resource-health": {
      const { state, summary } = await inTime(timeoutSeconds, world.health.of(plan.primary.cluster));
      return { says: state === "unavailable" ? "down" : state === "available" ? "up" : "unknown", about: `${state}: ${summary}` };
    }
    case "traffic-manager": {
      const { monitor } = (await inTime(timeoutSeconds, world.traffic.read(plan.traffic))).primary;
      return { says: monitor === "degraded" ? "down" : monitor === "online" ? "up" : "unknown", about: `the primary's endpoint is ${monitor}` };
    }
  }
}

function probed(answer: ProbeAnswer): Says {
  // Whoever shows a bad certificate is alive; whether the application behind it is, nobody saw.
  if (answer.kind === "no-answer") return { says: answer.untrusted ? "unknown" : "down", about: answer.why };
  // Somebody on the way answered in its place: we have not been let through to look.
  if (onTheWay.has(answer.status)) return { says: "unknown", about: `status ${answer.status}: a proxy on the way answered` };
  return { says: answer.status >= 500 ? "down" : "up", about: `status ${answer.status} in ${Math.round(answer.durationMs)} ms` };
}

/** 407 and 511 come from proxies and networks, never from the one that was asked (RFC 9110 15.5.8, RFC 6585 6). */
const onTheWay: ReadonlySet<number> = new Set([407, 511]);

/** An API server that answers over nodes that are all gone is a cluster that runs nothing. */
async function askKubernetes(plan: Plan, world: World): Promise<Says> {
  const { timeoutSeconds } = plan.confirmation;
  const cluster = await inTime(timeoutSeconds, world.clusters.of(plan.primary.cluster));
  const ready = await cluster.ready(timeoutSeconds);
  if (ready.kind === "no-answer") return { says: "down", about: ready.why };
  // It lives and cannot say more: what runs behind it may well serve.
  if (ready.kind === "not-ready") return { says: "unknown", about: `the API server answers that it is not ready: ${ready.why}` };
  const nodes = (await inTime(timeoutSeconds, cluster.list(kinds.nodes, null))) ?? [];
  const states = nodes.map(nodeState);
  const alive = states.filter(({ ready }) => ready).length;
  const damage = damageOf(states);
  return { says: alive === 0 ? "down" : "up", about: `the API server answers; ${alive} of ${nodes.length} nodes are Ready`, ...(damage === null ? {} : { damage }) };
}

/** What is asked *about* the primary must not hold up the round: an answer that comes too late is none, and says nothing of the primary. */
async function inTime<T>(seconds: number, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1_000);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
