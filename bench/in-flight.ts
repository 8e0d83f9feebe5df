/** What a host is doing at a moment, read off its own log: the activities that began and have not ended. */
import { z } from "zod";
import type { TimedLogRecord } from "../lab/host/process.ts";

const durableEvent = z.object({ durable: z.object({ kind: z.string(), instanceId: z.string(), name: z.string() }) });

export interface InFlight {
  /** Takes each record of the host's log. */
  take(record: TimedLogRecord): void;
  /** In a word or two: the steps that run, or the one that ended last. */
  now(): string;
  /** A new host begins with nothing. */
  forget(): void;
}

export function openInFlight(): InFlight {
  const running = new Map<string, string>();
  let last = "";
  return {
    take({ category, message }) {
      if (category !== "system" || !message.startsWith('{"durable"')) return;
      const { kind, instanceId, name } = durableEvent.parse(JSON.parse(message)).durable;
      if (kind === "activity-started") running.set(`${instanceId} ${name}`, name);
      if (kind === "activity-completed" || kind === "activity-failed") {
        running.delete(`${instanceId} ${name}`);
        last = name;
      }
    },
    now() {
      if (running.size > 0) return [...new Set(running.values())].toSorted().join(" and ");
      return last === "" ? "before the first step" : `after ${last}`;
    },
    forget: () => running.clear(),
  };
}
