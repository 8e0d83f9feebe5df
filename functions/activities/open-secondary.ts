import { gateRecords } from "../../shared/domain/gate.ts";
import type { Choice } from "../../shared/domain/restore-run.ts";
import type { Plan } from "../../shared/domain/plan.ts";
import type { TrafficState } from "../../shared/ports.ts";
import type { steps } from "../../orchestrations/steps.ts";
import { pass } from "./gate.ts";
import type { Duty, Work } from "./perform.ts";
import { verifyApplications } from "./verify.ts";

/**
 * The one place where users are sent to the secondary: the traffic point of no return in the ledger, the act, the look. Traffic Manager
 * has no condition of its own, so the epoch was checked just before and is held by the compare-and-swap. Repeating it changes nothing.
 */
export const openSecondary: Work<typeof steps.openSecondary> = async (_, duty) => {
  const { world, plan } = duty;
  // Both looked at before the point of no return: behind it there is only forward.
  const before = await world.traffic.read(plan.traffic);
  const passed = await pass("traffic", duty, async () => mustBeVerified(duty));
  if (passed.kind === "abort-asked") return passed;
  // The fence may have been undone by hand since: close it again, or two regions would be answered.
  if (before.primary.open) await world.traffic.closePrimary(plan.traffic);
  if (!before.secondary.open) await world.traffic.openSecondary(plan.traffic);
  const after = await world.traffic.read(plan.traffic);
  if (!after.secondary.open || after.primary.open) throw new Error(`traffic reads back as primary ${after.primary.open ? "open" : "closed"}, secondary ${after.secondary.open ? "open" : "closed"}`);
  return { kind: "open", before: ends(before), after: ends(after) };
};

/** Traffic never goes to a region that was not verified in this run, and again now: the run may have stood still in between. */
async function mustBeVerified(duty: Duty): Promise<void> {
  const { ledger, plan, call } = duty;
  const { plan: name, epoch } = call.ref;
  const [verified, chosen] = await Promise.all([
    ledger.entry({ plan: name, epoch, ...gateRecords.verified }, "outcome"),
    ledger.entry({ plan: name, epoch, ...gateRecords.chosen }, "outcome"),
  ]);
  const choice = chosen?.value as Choice | undefined;
  if (verified === null || choice?.kind !== "chosen") throw new Error(`${call.ref.runId} has verified nothing: users are not sent there`);
  const now = await verifyApplications({ applications: plan.applications.map((application) => application.name), point: choice.point }, duty);
  if (now.kind === "not-yet") throw new Error(`it was verified, and is not right any more: ${now.about}`);
}

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
  // What the plan asserts of its pages, asked as users ask: the root of a site may well be a redirect.
  for (const { path, status, contains } of pagesOf(plan)) {
    const page = new URL(path, url).href;
    const answer = await world.probes.get(page, { timeoutSeconds });
    if (answer.kind === "no-answer") return { kind: "not-yet", about: `${page} does not answer: ${answer.why}` };
    if (answer.status !== status) return { kind: "not-yet", about: `${page} answers ${answer.status}, not ${status}` };
    if (contains !== undefined && !answer.body.includes(contains)) return { kind: "not-yet", about: `${page} does not hold "${contains}"` };
  }
  return { kind: "done", value: { at: world.clock.now(), saw: `${url} answers as asserted at ${name.addresses.join(", ")} by ${name.chain.join(" → ") || "its own address"}` } };
};

function pagesOf({ assertions }: Plan): readonly { readonly path: string; readonly status: number; readonly contains?: string | undefined }[] {
  const pages = assertions.flatMap((assertion) => (assertion.kind === "http" ? [{ path: assertion.path, status: assertion.status, contains: assertion.contains }] : []));
  return pages.length > 0 ? pages : [{ path: "", status: 200 }];
}
