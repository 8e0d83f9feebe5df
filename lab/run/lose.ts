import { primary } from "../world/pair.ts";
import type { AzureMonitor } from "./azure-monitor.ts";
import { clusterClient } from "./cluster-client.ts";
import type { Tell } from "./events.ts";
import type { RunningLab } from "./run-lab.ts";
import type { Scenario } from "./scenarios.ts";

/** Until what was deleted is gone and the page with it, lab time. */
const upMsMax = 600_000;

/** Makes happen what the scenario says, and asks for what a person would ask for then. */
export async function lose(lab: RunningLab, { loss, plan }: Scenario, tell: Tell, monitor: AzureMonitor): Promise<void> {
  const { pair, observer } = lab;
  switch (loss.kind) {
    case "region":
      pair.lose(primary.region);
      return tell({ event: "lost", what: primary.region });
    case "blip": {
      pair.lose(primary.region);
      tell({ event: "lost", what: primary.region });
      pair.world.clock.after(loss.seconds * 1_000, () => {
        pair.giveBack(primary.region);
        tell({ event: "returned", what: primary.region });
      });
      return;
    }
    case "nothing":
      // A person moves the shop while all is well: the primary can be fenced from within.
      monitor.stop();
      return await ask(lab, plan, "failover", "maintenance of the region", tell);
    case "namespace": {
      // A person sees it and starts the recovery: no alert of a lost region would be right here.
      monitor.stop();
      const deleted = await clusterClient(pair, primary.region).request("DELETE", `/api/v1/namespaces/${loss.namespace}`);
      if (deleted.status >= 300) throw new Error(`the namespace ${loss.namespace} could not be deleted: status ${deleted.status}`);
      tell({ event: "lost", what: `namespace ${loss.namespace}` });
      await observer.until((look) => !look.ok, upMsMax, "the page to go away");
      // While it is still ending, there is something in it, and nothing can be put into it. `kubectl delete` waits for the end too.
      await untilGone(lab, loss.namespace);
      await ask(lab, plan, "recovery", `namespace ${loss.namespace} was deleted`, tell);
    }
  }
}

/** Asks at the HTTP door, as the plan's ledger stands now. */
async function ask({ app }: RunningLab, plan: string, kind: "failover" | "recovery", reason: string, tell: Tell): Promise<void> {
  const { head } = await app.plan(plan);
  const asked = await app.startRun({ plan, kind, confirm: plan, reason }, head.epoch);
  tell({ event: "asked", status: asked.status, answer: asked.body });
  if (asked.status !== 202) throw new Error(`the ${kind} was not started (${asked.status}): ${JSON.stringify(asked.body)}`);
}

async function untilGone({ pair }: RunningLab, namespace: string): Promise<void> {
  const { clock } = pair.world;
  const cluster = clusterClient(pair, primary.region);
  const giveUpAt = clock.now() + upMsMax;
  while ((await cluster.request("GET", `/api/v1/namespaces/${namespace}`)).status !== 404) {
    if (clock.now() > giveUpAt) throw new Error(`the namespace ${namespace} had not ended ${upMsMax / 60_000} minutes of lab time after it was deleted`);
    await clock.sleep(100 * clock.rate);
  }
}
