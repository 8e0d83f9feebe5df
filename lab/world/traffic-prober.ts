/** Traffic Manager's monitoring: one loop per enabled endpoint, on the lab's clock. */
import type { Endpoint, Probe } from "./traffic.ts";
import type { LabWorld } from "./world.ts";

export interface MonitorSettings {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly toleratedFailures: number;
}

export interface Prober {
  /** What the probes say of an endpoint that is probed; one not probed yet is being checked. */
  seen(endpoint: string): "CheckingEndpoint" | "Online" | "Degraded";
  /** Looks at the endpoints again: starts loops for those enabled since, ends those of the others. */
  look(): void;
  close(): void;
}

/**
 * However fast the lab runs, a probe gets this much of the wall clock: a busy machine of ours must not look like a lost region. At the
 * default rate it is one interval of the profile, so a silent region is seen no later for it.
 */
const wallTimeoutMsMin = 500;

interface Loop {
  failures: number;
  state: "CheckingEndpoint" | "Online" | "Degraded";
  readonly ended: AbortController;
  /** Takes back the wait for the next probe. */
  cancelWait: () => void;
}

export function startProber(world: LabWorld, endpoints: () => readonly Endpoint[], probe: Probe, { intervalSeconds, timeoutSeconds, toleratedFailures }: MonitorSettings): Prober {
  const loops = new Map<string, Loop>();
  const timeoutMs = Math.max((timeoutSeconds * 1000) / world.clock.rate, wallTimeoutMsMin);

  const run = (endpoint: Endpoint, loop: Loop) => {
    const beganAt = world.clock.now();
    const signal = AbortSignal.any([loop.ended.signal, AbortSignal.timeout(timeoutMs)]);
    void probe(endpoint, signal)
      // However a probe fails, it has not seen a 200.
      .catch(() => false)
      .then((well) => {
        if (loop.ended.signal.aborted) return;
        loop.failures = well ? 0 : loop.failures + 1;
        const before = loop.state;
        if (well) loop.state = "Online";
        else if (loop.failures > toleratedFailures) loop.state = "Degraded";
        if (loop.state !== before) world.record("traffic.endpoint-seen", endpoint.name, { monitor: loop.state });
        const waitMs = Math.max(intervalSeconds * 1000 - (world.clock.now() - beganAt), 0);
        loop.cancelWait = world.clock.after(waitMs, () => run(endpoint, loop));
      });
  };

  const end = (loop: Loop) => {
    loop.ended.abort();
    loop.cancelWait();
  };

  const look = () => {
    const probed = endpoints().filter(({ status, alwaysServe }) => status === "Enabled" && !alwaysServe);
    for (const [name, loop] of loops) {
      if (probed.some((endpoint) => endpoint.name === name)) continue;
      end(loop);
      loops.delete(name);
    }
    for (const endpoint of probed) {
      if (loops.has(endpoint.name)) continue;
      const loop: Loop = { failures: 0, state: "CheckingEndpoint", ended: new AbortController(), cancelWait: () => {} };
      loops.set(endpoint.name, loop);
      run(endpoint, loop);
    }
  };

  look();
  return {
    seen: (name) => loops.get(name)?.state ?? "CheckingEndpoint",
    look,
    close() {
      for (const loop of loops.values()) end(loop);
      loops.clear();
    },
  };
}
