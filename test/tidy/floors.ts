import { posix } from "node:path";
import { importsOf, type Source } from "./source.ts";

interface Floor {
  readonly name: string;
  /** Which files stand on it. The first floor that holds a file counts. */
  readonly holds: RegExp;
  /** The floors it may look down to, itself included. */
  readonly sees: readonly string[];
}

const under = ["domain", "ports"];
const production = [...under, "fence", "adapters", "orchestrations", "functions", "wiring", "cli", "agent", "agent-wiring", "console"];

/** The floors of docs/architecture.md, from the ground up. */
export const floors: readonly Floor[] = [
  { name: "domain", holds: /^shared\/domain\//, sees: ["domain"] },
  { name: "adapters", holds: /^shared\/(?:azure|kubernetes)\//, sees: [...under, "adapters"] },
  { name: "fence", holds: /^shared\/fence\//, sees: [...under, "fence"] },
  { name: "ports", holds: /^shared\/[^/]+$/, sees: under },
  { name: "orchestrations", holds: /^orchestrations\//, sees: ["domain", "orchestrations"] },
  { name: "wiring", holds: /^functions\/(?:index|app)\.ts$/, sees: [...under, "fence", "adapters", "orchestrations", "functions", "wiring"] },
  { name: "functions", holds: /^functions\//, sees: [...under, "fence", "orchestrations", "functions"] },
  { name: "agent-wiring", holds: /^agent\/(?:index|in-cluster)\.ts$/, sees: [...under, "fence", "adapters", "agent", "agent-wiring"] },
  { name: "agent", holds: /^agent\//, sees: [...under, "fence", "agent"] },
  { name: "cli", holds: /^cli\//, sees: [...under, "adapters", "orchestrations", "cli"] },
  { name: "console", holds: /^console\//, sees: ["domain", "console"] },
  { name: "lab", holds: /^lab\//, sees: [...production, "lab"] },
  { name: "bench", holds: /^bench\//, sees: [...production, "lab", "bench"] },
  { name: "test", holds: /^test\//, sees: [...production, "lab", "bench", "test"] },
];

/** Foreign packages that only some files may know. What stands on top of the floors may know everything. */
const known: readonly { readonly packages: RegExp; readonly by: RegExp; readonly instead: string }[] = [
  { packages: /^@azure\/functions$/, by: /^functions\//, instead: "the Functions host is known in functions/ only" },
  { packages: /^durable-functions$/, by: /^(?:functions\/|orchestrations\/runbook\.ts$)/, instead: "Durable Functions is known in orchestrations/runbook.ts and the registering files of functions/" },
  { packages: /^@azure\/(?!functions$)/, by: /^shared\/azure\//, instead: "Azure clients live in shared/azure; ask for what you need in shared/ports.ts" },
  { packages: /^@kubernetes\//, by: /^shared\/kubernetes\//, instead: "the Kubernetes client lives in shared/kubernetes; ask for what you need in shared/ports.ts" },
  { packages: /^(?!zod$|yaml$)/, by: /^(?!shared\/domain\/)/, instead: "the domain is pure: it knows zod and yaml, and nothing else" },
  { packages: /^(?!durable-functions$)/, by: /^(?!orchestrations\/)/, instead: "runbooks know no package; what they need of the world is a step" },
];

const onTop = /^(?:lab|bench|test)\//;

/** Every import of a file that its floor does not allow, each as a sentence. */
export function floorProblems(source: Source): string[] {
  const { path } = source;
  const floor = floors.find(({ holds }) => holds.test(path));
  if (!floor) return [`${path} stands on no floor: give it one in test/tidy/floors.ts`];
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith(".")) return onTop.test(path) ? [] : known.filter(({ packages, by }) => packages.test(specifier) && !by.test(path)).map(({ instead }) => `${path} imports ${specifier}: ${instead}`);
    const target = posix.join(posix.dirname(path), specifier);
    const below = floors.find(({ holds }) => holds.test(target));
    if (!/\.(?:ts|json)$/.test(specifier)) return [`${path} imports ${specifier}: relative imports end in .ts`];
    if (!below) return floor.name === "test" || floor.name === "bench" || floor.name === "lab" ? [] : [`${path} imports ${specifier}, which stands on no floor`];
    return floor.sees.includes(below.name) ? [] : [`${path} (${floor.name}) imports ${target} (${below.name}): imports only go down the floors`];
  });
}
