/** People, senders of alerts and the host's own timers: what comes to the app's doors from outside. */
import type { Phase } from "../../shared/domain/outcome.ts";
import type { HttpAnswer } from "./shims/functions.ts";
import { alertBody } from "./alert.ts";
import type { Host } from "./durable/host.ts";
import { planName, planText } from "./plan.ts";
import type { Sim } from "./run.ts";
import type { Deed } from "./scenario.ts";
import { nature } from "./time/scheduler.ts";

/** What somebody was told at a door. */
export interface Told {
  readonly at: number;
  readonly deed: Deed;
  readonly runId: string | null;
  readonly status: number;
  readonly body: unknown;
}

/** Something that somebody sent; `status` null: no answer came back, whatever became of it. */
export interface Sent {
  readonly at: number;
  readonly deed: Deed;
  readonly runId: string | null;
  status: number | null;
}

export interface Doing {
  readonly told: readonly Told[];
  readonly sent: readonly Sent[];
  /** Whether somebody still has something to do, or waits for an answer. */
  readonly busy: () => boolean;
  /** How many events of the world's log and of the ledger there were. */
  readonly events: () => number;
}

/** How long a sender waits for an answer, and how often it sends again. */
const patienceMs = 30_000;
const sendsMax = 8;
/** The watchdog looks this often. */
const watchdogMs = 300_000;

export function beginDeeds(sim: Sim): Doing {
  const { scheduler, scenario, hosts, story } = sim;
  const told: Told[] = [];
  const sent: Sent[] = [];
  let pending = 0;
  const taking = (): Host | null => hosts.find(({ takes }) => takes) ?? null;

  /** Sends until somebody answers with anything but "not now", as Azure Monitor and a person with a browser do. */
  const send = (deed: Deed, route: string, request: Parameters<Host["request"]>[1], runId: string | null, sends = 1): void => {
    pending += 1;
    let open = true;
    const host = taking();
    const one: Sent = { at: scheduler.now, deed, runId, status: null };
    if (host !== null) sent.push(one);
    const again = (why: string): void => {
      if (!open) return;
      open = false;
      pending -= 1;
      if (sends < sendsMax) {
        pending += 1;
        scheduler.after(5_000 * sends, nature, () => {
          pending -= 1;
          send(deed, route, request, runId, sends + 1);
        });
      } else story.tell(scheduler.now, "outside", `gives up: ${why}`);
    };
    scheduler.after(patienceMs, nature, () => again("nobody answers"));
    host?.request(route, request, sim.clientOf(host), (answer: HttpAnswer) => {
      if (!open) return;
      one.status = answer.status;
      if (answer.status === 503) return again("not now");
      open = false;
      pending -= 1;
      const body = answer.jsonBody ?? (answer.body === undefined ? null : (JSON.parse(answer.body) as unknown));
      story.tell(scheduler.now, "outside", `is answered ${answer.status} at ${route}: ${JSON.stringify(body)}`);
      told.push({ at: scheduler.now, deed, runId, status: answer.status, body });
    });
  };

  const begin = (deed: Deed): void => {
    switch (deed.kind) {
      case "alert":
      case "resolved":
        scheduler.after(deed.at, nature, () => {
          story.tell(scheduler.now, "outside", `${deed.kind === "alert" ? "sends the alert" : "says that it is over:"} ${deed.alertId}`);
          send(deed, "alert-received", { body: alertBody(deed.alertId, deed.kind === "alert" ? "Fired" : "Resolved", scheduler.now) }, null);
        });
        break;
      case "start":
        scheduler.after(deed.at, nature, () => {
          const epoch = sim.head()?.epoch ?? 0;
          story.tell(scheduler.now, deed.who, `starts a failover, having seen epoch ${epoch}`);
          send(deed, "failover-requested", { person: deed.who, body: { plan: planName, confirm: planName, reason: "I see it is down" }, ifMatch: `"${epoch}"` }, null);
        });
        break;
      case "decide":
        whenAsked(deed);
        break;
      case "edit-plan":
        scheduler.after(deed.at, nature, () => {
          story.tell(scheduler.now, "outside", "puts another version of the plan");
          sim.pair.home.put(`plans/${planName}.yaml`, planText({ ...scenario.plan, approval: "two" }, "edited").text);
        });
        break;
      case "abort": {
        const ask = (): void =>
          void scheduler.after(deed.afterMs, nature, () => {
            const runId = sim.head()?.run?.id;
            if (runId === undefined) return;
            story.tell(scheduler.now, deed.who, `asks ${runId} to stop`);
            send(deed, "abort-asked", { person: deed.who, body: { reason: "I want it to stop" }, params: { runId } }, runId);
          });
        if (typeof deed.when === "number") atEvent.push({ nth: deed.when, ask });
        else whenBegun(deed.when, ask);
        break;
      }
    }
  };

  const whenBegun = (wanted: Phase, call: () => void): void => {
    let begun = false;
    sim.pair.home.onWrite((name) => {
      if (begun || !name.endsWith("/head.json") || sim.head()?.run?.phases.some(({ phase }) => phase === wanted) !== true) return;
      begun = true;
      call();
    });
  };

  /** Answers each question of that kind once it is in the ledger. */
  const whenAsked = (deed: Extract<Deed, { kind: "decide" }>): void => {
    const answered = new Set<string>();
    sim.pair.home.onWrite((name) => {
      if (!name.endsWith("/head.json")) return;
      const run = sim.head()?.run;
      if (run?.question?.about !== deed.about || answered.has(run.id)) return;
      answered.add(run.id);
      // As it was shown to them.
      const { question: { id: question } } = run;
      for (let time = 0; time < deed.times; time++)
        scheduler.after(deed.afterMs + time * 700, nature, () => {
          story.tell(scheduler.now, deed.who, `says ${deed.verdict} to the ${deed.about} of ${run.id}`);
          send(deed, "decision-given", { person: deed.who, body: { about: deed.about, question, verdict: deed.verdict, reason: "because I say so" }, params: { runId: run.id } }, run.id);
        });
    });
  };

  const atEvent: { readonly nth: number; readonly ask: () => void }[] = [];
  let events = 0;
  const happened = (): void => {
    for (const { nth, ask } of atEvent) if (nth === events) ask();
    events += 1;
  };
  sim.pair.world.onEffect(happened);
  sim.pair.home.onWrite((name) => {
    if (name.startsWith("ledger/")) happened();
  });

  const watch = (): void =>
    void scheduler.after(watchdogMs, nature, () => {
      const host = taking();
      host?.tick("watchdog-due", sim.clientOf(host));
      watch();
    });
  watch();
  // On a quiet day all backups are verified and the clusters' addresses learnt.
  const first = scenario.quietDay === "played" ? taking() : null;
  first?.tick("verification-due", sim.clientOf(first));
  for (const deed of scenario.deeds) begin(deed);
  return { told, sent, busy: () => pending > 0, events: () => events };
}
