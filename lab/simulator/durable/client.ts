/** The durable client of a host's doors and timers, as far as the app uses it. */
import type { Network } from "../network.ts";
import type { Hub } from "./hub.ts";

export interface SimulatedClient {
  startNew(orchestrator: string, options: { readonly instanceId: string; readonly input: unknown }): Promise<string>;
  getStatus(instanceId: string): Promise<{ readonly runtimeStatus: string }>;
  raiseEvent(instanceId: string, name: string, input: unknown): Promise<void>;
}

export function openClient(hub: Hub, network: Network): SimulatedClient {
  const ask = <T>(op: string, instanceId: string, mutating: boolean, work: () => T): Promise<T> => network.ask({ port: "hub", op, thing: instanceId, region: null, mutating, fastMs: 4, slowMs: 20 }, work);
  return {
    startNew: (orchestrator, { instanceId, input }) =>
      ask("startNew", instanceId, true, () => {
        if (!hub.start(instanceId, orchestrator, JSON.parse(JSON.stringify(input)))) throw new Error(`an instance ${instanceId} is there already`);
        return instanceId;
      }),
    getStatus: (instanceId) =>
      ask("getStatus", instanceId, false, () => {
        const found = hub.instances.get(instanceId);
        if (!found) throw new Error(`HTTP 404: there is no instance ${instanceId}`);
        return { runtimeStatus: found.status };
      }),
    raiseEvent: (instanceId, name, input) => ask("raiseEvent", instanceId, true, () => hub.post(instanceId, { kind: "event", name, input })),
  };
}
