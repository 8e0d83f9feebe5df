/**
 * Somebody outside: asks the public name again and again, as a browser would, by its own name look-ups and its own HTTPS. It knows
 * nothing of regions or runs. What it saw is the measure of a failover.
 */
import dgram from "node:dgram";
import https from "node:https";
import { type Answer, decode, encode, type StringAnswer } from "dns-packet";
import type { LabClock } from "../clock.ts";

/** One look. `body` is the page; `why` says what went wrong instead. */
export interface Look {
  readonly at: number;
  readonly ok: boolean;
  readonly address: string | null;
  readonly body: string;
  readonly why: string;
}

export interface ObserverOptions {
  readonly clock: LabClock;
  /** The address users have. */
  readonly url: string;
  readonly dns: { readonly address: string; readonly port: number };
  readonly caPem: string;
  /** Lab milliseconds between two looks. */
  readonly everyMs: number;
  readonly onChange?: (look: Look) => void;
}

export interface Observer {
  readonly looks: readonly Look[];
  /** The next look that satisfies; rejects after `labMs`. */
  until(satisfies: (look: Look) => boolean, labMs: number, waitingFor: string): Promise<Look>;
  stop(): void;
}

/** One look may take this much wall time; a dead region must not stop the looking. */
const timeoutMs = 1_500;
/** Looks kept; a day at one a second is within it. */
const looksMax = 100_000;

export function startObserver({ clock, url, dns, caPem, everyMs, onChange }: ObserverOptions): Observer {
  const looks: Look[] = [];
  const waiting = new Set<(look: Look) => void>();
  const resolver = openResolver(clock, dns);
  const agent = new https.Agent({ keepAlive: false });
  const stopping = new AbortController();

  const look = async (): Promise<Look> => {
    // A look counts from when it began: the user pressed the key then.
    const at = clock.now();
    try {
      const address = await resolver.resolve(new URL(url).hostname);
      if (address === null) return { at, ok: false, address, body: "", why: "the name leads nowhere" };
      const { status, body } = await get(url, address, caPem, agent);
      return { at, ok: status === 200, address, body, why: status === 200 ? "" : `status ${status}` };
    } catch (error) {
      return { at, ok: false, address: null, body: "", why: error instanceof Error ? error.message : String(error) };
    }
  };

  const loop = async () => {
    while (!stopping.signal.aborted) {
      const began = clock.now();
      const seen = await look();
      const before = looks.at(-1);
      if (looks.length < looksMax) looks.push(seen);
      if (before?.ok !== seen.ok || before.address !== seen.address) onChange?.(seen);
      for (const tell of waiting) tell(seen);
      await clock.sleep(Math.max(0, everyMs - (clock.now() - began)));
    }
  };
  const looping = loop();

  return {
    looks,
    until(satisfies, labMs, waitingFor) {
      return new Promise((resolve, reject) => {
        const cancel = clock.after(labMs, () => {
          waiting.delete(tell);
          const last = looks.at(-1);
          reject(new Error(`waited ${labMs / 1_000} s (lab time) for ${waitingFor}; last seen: ${last?.ok ? `an answer from ${last.address}` : (last?.why ?? "nothing")}`));
        });
        const tell = (seen: Look) => {
          if (!satisfies(seen)) return;
          waiting.delete(tell);
          cancel();
          resolve(seen);
        };
        waiting.add(tell);
      });
    },
    stop() {
      stopping.abort();
      agent.destroy();
      void looping;
    },
  };
}

/** A resolver that keeps answers for their TTL, in lab time, as the resolvers of users do. */
function openResolver(clock: LabClock, { address, port }: { address: string; port: number }) {
  let kept: { readonly until: number; readonly address: string | null } | null = null;
  return {
    async resolve(name: string): Promise<string | null> {
      if (kept !== null && clock.now() < kept.until) return kept.address;
      const answers = await ask(name, address, port);
      const host = answers.find((answer): answer is StringAnswer & { type: "A" } => answer.type === "A");
      const ttlSeconds = Math.min(...answers.map((answer) => ("ttl" in answer ? (answer.ttl ?? 0) : 0)), 60);
      // No answer is not kept: a user tries again.
      kept = host === undefined ? null : { until: clock.now() + ttlSeconds * 1_000, address: host.data };
      return host?.data ?? null;
    },
  };
}

function ask(name: string, address: string, port: number): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket("udp4");
    const id = Math.floor(Math.random() * 65_536);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error("the name server does not answer"))), timeoutMs);
    socket.once("error", (error) => end(() => reject(error)));
    socket.on("message", (message) => {
      const packet = decode(message);
      if (packet.id === id) end(() => resolve(packet.answers ?? []));
    });
    socket.send(encode({ type: "query", id, flags: 256, questions: [{ type: "A", name }] }), port, address);
  });
}

function get(url: string, address: string, caPem: string, agent: https.Agent): Promise<{ status: number; body: string }> {
  const { hostname, port, pathname, search, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = https.get(
      { host: address, port: port === "" ? 443 : Number(port), path: pathname + search, servername: hostname, headers: { host }, ca: caPem, agent, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
  });
}
