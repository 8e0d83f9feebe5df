/** Azure's long-running operations: begun by one call, looked up by others, ended by the lab's clock. */
import { randomUUID } from "node:crypto";
import type { RegionName } from "./pair.ts";
import type { LabWorld } from "./world.ts";

export interface OperationError {
  readonly code: string;
  readonly message: string;
}

export interface Operation {
  readonly id: string;
  /** `start`, `pool`, `failover`. */
  readonly kind: string;
  /** Resource id of what is operated on. */
  readonly target: string;
  readonly region: RegionName | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: "InProgress" | "Succeeded" | "Failed";
  readonly error: OperationError | null;
}

export interface Operations {
  /** Ends after that much lab time with what `end` answers: `null` is success. At zero it has ended when this returns. */
  begin(asked: Pick<Operation, "kind" | "target" | "region">, afterMs: number, end: () => OperationError | null): Operation;
  /** The operation as it is now; the last thousand are kept. */
  get(id: string): Operation | null;
}

const keptMax = 1_000;

export function openOperations(world: LabWorld): Operations {
  const table = new Map<string, Operation>();
  return {
    begin(asked, afterMs, end) {
      const id = randomUUID();
      const begun: Operation = { ...asked, id, startedAt: world.clock.now(), endedAt: null, status: "InProgress", error: null };
      table.set(id, begun);
      if (table.size > keptMax) for (const oldest of table.keys()) if (table.delete(oldest)) break;
      const finish = () => {
        const error = end();
        table.set(id, { ...begun, endedAt: world.clock.now(), status: error ? "Failed" : "Succeeded", error });
      };
      afterLab(world, afterMs, finish);
      return table.get(id) ?? begun;
    },
    get: (id) => table.get(id) ?? null,
  };
}

/** Calls after that much lab time, and at once when it is zero: a world without latencies answers with what is already true. */
export function afterLab(world: LabWorld, labMs: number, call: () => void): void {
  if (labMs <= 0) call();
  else world.clock.after(labMs, call);
}
