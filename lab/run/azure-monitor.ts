/**
 * Azure Monitor of the lab: an availability test that fires when the public name stays dark, and an action group that delivers the
 * alert: retried on 408, 429, 503, 504 and broken connections after 5, 20, 5, 40 and 5 seconds, then silent for 15 minutes.
 */
import { randomUUID } from "node:crypto";
import type { LabClock } from "../clock.ts";
import { primary, subscription } from "../world/pair.ts";
import type { Observer } from "./observer.ts";

/** A metric alert of one-minute windows evaluated every minute fires within that. */
const usualDarkMsMin = 20_000;
/** azure-control-plane: action groups, retry. */
const retryAfterSeconds = [5, 20, 5, 40, 5] as const;
const retried = new Set([408, 429, 503, 504]);

export interface Delivered {
  readonly at: number;
  readonly status: number;
  readonly body: string;
}

export interface AzureMonitor {
  readonly delivered: readonly Delivered[];
  stop(): void;
}

export interface AzureMonitorOptions {
  readonly clock: LabClock;
  readonly observer: Observer;
  /** The app's alert door, key included in the header. */
  readonly door: () => { readonly url: string; readonly key: string };
  /** Whose rule it is; default the shop. */
  readonly plan?: string;
  /** How long the name must be dark before the rule fires; default 20 s. */
  readonly darkMsMin?: number;
  readonly onDelivered?: (delivered: Delivered) => void;
}

export function startAzureMonitor({ clock, observer, door, plan = "shop", darkMsMin = usualDarkMsMin, onDelivered }: AzureMonitorOptions): AzureMonitor {
  const delivered: Delivered[] = [];
  const stop = new AbortController();
  const watch = async () => {
    let fired: { readonly id: string; readonly at: number } | null = null;
    while (!stop.signal.aborted) {
      await clock.sleep(Math.min(5_000, darkMsMin / 2), stop.signal);
      const dark = darkFor(observer, clock.now());
      if (fired === null && dark >= darkMsMin) {
        fired = { id: randomUUID(), at: clock.now() };
        // Two receivers in two regions, as is advised: the app must take two for one.
        void Promise.all([deliver(alertOf("Fired", fired, undefined, plan)), deliver(alertOf("Fired", fired, undefined, plan))]);
      } else if (fired !== null && dark === 0) {
        void deliver(alertOf("Resolved", fired, clock.now(), plan));
        fired = null;
      }
    }
  };
  const deliver = async (alert: unknown) => {
    for (const pauseSeconds of [...retryAfterSeconds, null]) {
      const status = await post(alert);
      if (status !== null && !retried.has(status)) return;
      if (pauseSeconds === null || stop.signal.aborted) return;
      await clock.sleep(pauseSeconds * 1_000, stop.signal).catch(() => undefined);
    }
  };
  const post = async (alert: unknown): Promise<number | null> => {
    const { url, key } = door();
    try {
      const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", "x-functions-key": key }, body: JSON.stringify(alert), signal: AbortSignal.timeout(10_000) });
      const answer: Delivered = { at: clock.now(), status: response.status, body: await response.text() };
      delivered.push(answer);
      onDelivered?.(answer);
      return response.status;
    } catch {
      return null;
    }
  };
  watch().catch(() => undefined); // ends by the abort of its sleep
  return { delivered, stop: () => stop.abort() };
}

/** For how long no look has been good, up to now; 0 when the last one was. */
function darkFor({ looks }: Observer, now: number): number {
  const lastGood = looks.findLast(({ ok }) => ok);
  if (lastGood === undefined || looks.at(-1)?.ok) return 0;
  return now - lastGood.at;
}

/** The common alert schema, as an availability test sends it. */
export function alertOf(condition: "Fired" | "Resolved", { id, at }: { readonly id: string; readonly at: number }, resolvedAt?: number, plan = "shop"): unknown {
  return {
    schemaId: "azureMonitorCommonAlertSchema",
    data: {
      essentials: {
        alertId: `/subscriptions/${subscription}/providers/Microsoft.AlertsManagement/alerts/${id}`,
        alertRule: "ar-shop-availability-weu",
        severity: "Sev0",
        signalType: "Metric",
        monitorCondition: condition,
        monitoringService: "Platform",
        alertTargetIDs: [primary.cluster.id.toLowerCase()],
        configurationItems: [primary.cluster.name],
        firedDateTime: new Date(at).toISOString(),
        ...(resolvedAt === undefined ? {} : { resolvedDateTime: new Date(resolvedAt).toISOString() }),
        description: "the public page does not answer",
        essentialsVersion: "1.0",
        alertContextVersion: "1.0",
      },
      alertContext: { properties: null, conditionType: "WebtestLocationAvailabilityCriteria", condition: { windowSize: "PT1M", allOf: [] } },
      customProperties: { "lifeboat-plan": plan },
    },
  };
}
