import type { TrafficState } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Work } from "./perform.ts";
import { pass } from "./promote.ts";

/**
 * The one place where users are sent to the secondary: the traffic point of no return in the ledger, the act, the look. Traffic Manager
 * has no condition of its own, so the epoch was checked just before and is held by the compare-and-swap. Repeating it changes nothing.
 */
export const openSecondary: Work<typeof steps.openSecondary> = async (_, duty) => {
  const { world, plan } = duty;
  const passed = await pass("traffic", duty);
  if (passed.kind === "abort-asked") return passed;
  const before = await world.traffic.read(plan.traffic);
  // The fence may have been undone by hand since: close it again, or two regions would be answered.
  if (before.primary.open) await world.traffic.closePrimary(plan.traffic);
  if (!before.secondary.open) await world.traffic.openSecondary(plan.traffic);
  const after = await world.traffic.read(plan.traffic);
  if (!after.secondary.open || after.primary.open) throw new Error(`traffic reads back as primary ${after.primary.open ? "open" : "closed"}, secondary ${after.secondary.open ? "open" : "closed"}`);
  return { kind: "open", before: ends(before), after: ends(after) };
};

const ends = ({ primary, secondary }: TrafficState) => ({ primary: primary.open, secondary: secondary.open });

/** How long one answer through the public name may take. */
const timeoutSeconds = 5;

/**
 * Seen from outside: the public name leads to the secondary's ingress by the name servers, and answers through it. The service's own
 * state was read back before; this is what a user gets.
 */
export const seenFromOutside: Work<typeof steps.seenFromOutside> = async (_, { world, plan }) => {
  const url = plan.traffic.publicUrl;
  const [name, ingress] = await Promise.all([world.probes.resolve(new URL(url).hostname), world.probes.resolve(new URL(plan.secondary.ingress).hostname)]);
  if (name.kind === "nothing") return { kind: "not-yet", about: `${new URL(url).hostname} leads nowhere yet: ${name.why}` };
  if (ingress.kind === "nothing") return { kind: "not-yet", about: `the secondary's ingress has no address: ${ingress.why}` };
  if (!name.addresses.some((address) => ingress.addresses.includes(address)))
    return { kind: "not-yet", about: `${new URL(url).hostname} leads to ${name.addresses.join(", ")}, not to the secondary's ${ingress.addresses.join(", ")}` };
  const answer = await world.probes.get(url, { timeoutSeconds });
  if (answer.kind === "no-answer") return { kind: "not-yet", about: `${url} does not answer: ${answer.why}` };
  if (answer.status !== 200) return { kind: "not-yet", about: `${url} answers ${answer.status}` };
  return { kind: "done", value: { at: world.clock.now(), saw: `${url} answers 200 at ${name.addresses.join(", ")} by ${name.chain.join(" → ") || "its own address"}` } };
};
