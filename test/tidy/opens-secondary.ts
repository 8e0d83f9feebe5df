import { blanked, type Source } from "./source.ts";

/** Where the act that sends users to the secondary may be named, and as what. Everywhere else it must not. */
const mayName: Readonly<Record<string, { readonly as: string; readonly fits: (code: string) => boolean }>> = {
  "shared/ports.ts": { as: "the port", fits: once(/\bopenSecondary\(traffic: PlanTraffic\): Promise<void>;/g) },
  "shared/azure/traffic.ts": { as: "the adapter", fits: () => true },
  "shared/azure/traffic-manager.ts": { as: "the adapter", fits: () => true },
  "shared/azure/dns.ts": { as: "the adapter", fits: () => true },
  "orchestrations/steps.ts": { as: "the step", fits: once(/\bopenSecondary: patient\(act</g) },
  "orchestrations/failover.ts": { as: "steps.openSecondary", fits: once(/\bsteps\.openSecondary\b/g) },
  "functions/activities/index.ts": { as: "openSecondary, the work of its step", fits: (code) => /import \{ openSecondary, /.test(code) && !/\.openSecondary\b/.test(code) },
  "functions/activities/leave.ts": { as: "traffic.openSecondary(…), behind leave to act", fits: (code) => /openSecondary: asking\(async \(traffic\) => world\.traffic\.openSecondary\(traffic\)\)/.test(code) },
  "functions/activities/open-secondary.ts": { as: "traffic.openSecondary(…), behind the traffic point of no return", fits: behindThePoint },
};

/** How a production file reaches the act, each as a sentence; one that may not, or not like that, says so. */
export function opensSecondary({ path, text }: Source): string[] {
  if (/^(?:lab|bench|test)\//.test(path)) return [];
  const code = blanked(text, { strings: false });
  if (!/\bopenSecondary\b/.test(code)) return [];
  const place = mayName[path];
  return [place !== undefined && place.fits(code) ? `${path}: ${place.as}` : `${path} MUST NOT reach openSecondary like this: only the activity that passes the traffic point of no return may`];
}

/** The act is named once as a call, in the function that passes the point, after that and after its answer was looked at. */
function behindThePoint(code: string): boolean {
  const calls = [...code.matchAll(/\bopenSecondary\b/g)].map(({ index }) => index);
  const [step, stepType, call] = calls;
  const body = code.slice(step, call);
  return (
    calls.length === 3 &&
    stepType !== undefined &&
    code.startsWith("openSecondary: Work<typeof steps.openSecondary>", step) &&
    code.slice(0, call).endsWith("await world.traffic.") &&
    /const passed = await pass\("traffic", duty, async \(\) => mustBeVerified\(duty\)\);\s*if \(passed\.kind === "abort-asked"\) return passed;/.test(body) &&
    // Still the same function: nothing was closed at the margin in between.
    !/\n\}/.test(body)
  );
}

function once(pattern: RegExp): (code: string) => boolean {
  return (code) => [...code.matchAll(pattern)].length === 1 && [...code.matchAll(/\bopenSecondary\b/g)].length === 1;
}
