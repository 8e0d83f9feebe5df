/** The lease agent in the lab's primary: the product's own, with its real clients, inside a region that may be cut off from everything else. */
import type { HttpClient } from "@azure/core-rest-pipeline";
import { live } from "../../agent/live.ts";
import { openMemory } from "../../agent/memory.ts";
import type { AgentLog } from "../../agent/parts.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openHome } from "../../shared/azure/home-blob.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { openCluster } from "../../shared/kubernetes/cluster.ts";
import type { Cluster } from "../../shared/ports.ts";
import type { LabPair } from "../pair-in-a-box.ts";
import { audiences } from "../world/identity.ts";
import { accounts, blobHost, primary } from "../world/pair.ts";

export interface LabAgent {
  /** Ends its process. What it closed stays closed. */
  stop(): Promise<void>;
  /** Its process stands still, and goes on later as if nothing had been: SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

export interface LabAgentOptions {
  /** Whether it reaches home while its region is cut off. Default: not. */
  readonly reachesHome?: boolean;
  readonly log?: AgentLog;
}

const namespace = "lifeboat";
/** As in production, wall seconds: the lab's own calls take milliseconds. */
const deadlineSeconds = 10;

/** Starts it for the shop. Its clock is the lab's; its name in the cluster's log is that of a workload there. */
export async function startLabAgent(pair: LabPair, { reachesHome = false, log = () => undefined }: LabAgentOptions = {}): Promise<LabAgent> {
  const { world, engines, people } = pair;
  const { insideUrl, operatorToken } = engines[primary.region];
  if (insideUrl === null) throw new Error("the lease agent needs a cluster that lives on while its region is cut off: the double is one");
  const gate = openGate();
  const cluster = stopping(openCluster(primary.cluster.name, { server: insideUrl, ca: pair.caPem, token: operatorToken, deadlineSeconds }), gate.passed);
  await cluster.create(kinds.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const credential = { getToken: async () => ({ token: (await people.mint(audiences.storage)).token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const transport = cutOff(openTransport(pair.hosts), () => !reachesHome && world.reach(primary.region) !== "up", gate.passed);
  const home = openHome(openBlobService(credential, transport, deadlineSeconds), { url: `https://${blobHost(accounts.home.name)}`, container: "lifeboat" });
  const stopped = new AbortController();
  const clock = {
    monotonicMs: () => world.clock.now(),
    nowAt: () => world.clock.now(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      await world.clock.sleep(ms, signal);
      await gate.passed();
    },
  };
  const lived = live({ plan: "shop", clusterId: primary.cluster.id, id: `lab-${world.clock.now()}`, home, cluster, clock, memory: openMemory(cluster, namespace, "shop"), log }, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      gate.open();
      await lived;
    },
    pause: () => gate.close(),
    resume: () => gate.open(),
  };
}

/** A process that is stopped passes nowhere until it goes on. */
function openGate() {
  let closed: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  return {
    passed: async () => closed?.opened,
    close() {
      if (closed !== null) return;
      let open: () => void = () => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      closed = { opened, open };
    },
    open() {
      closed?.open();
      closed = null;
    },
  };
}

/** A process that is stopped asks nothing, and hears no answer before it goes on. */
function stopping(cluster: Cluster, passed: () => Promise<void>): Cluster {
  const within = <Args extends unknown[], Out>(ask: (...args: Args) => Promise<Out>) => async (...args: Args): Promise<Out> => {
    await passed();
    const answer = await ask(...args);
    await passed();
    return answer;
  };
  return {
    ready: within(async (...args: Parameters<Cluster["ready"]>) => cluster.ready(...args)),
    get: within(async (...args: Parameters<Cluster["get"]>) => cluster.get(...args)),
    list: within(async (...args: Parameters<Cluster["list"]>) => cluster.list(...args)),
    create: within(async (...args: Parameters<Cluster["create"]>) => cluster.create(...args)),
    patch: within(async (...args: Parameters<Cluster["patch"]>) => cluster.patch(...args)),
    delete: within(async (...args: Parameters<Cluster["delete"]>) => cluster.delete(...args)),
  };
}

/** What leaves the region finds no way, and what comes back to a process that is stopped waits for it. */
function cutOff(inner: HttpClient, isCut: () => boolean, passed: () => Promise<void>): HttpClient {
  const mustPass = () => {
    if (isCut()) throw new Error("connect ENETUNREACH: the region is cut off");
  };
  return {
    async sendRequest(request) {
      await passed();
      mustPass();
      const answer = await inner.sendRequest(request);
      await passed();
      mustPass();
      return answer;
    },
  };
}
