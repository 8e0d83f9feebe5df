/** The command line of `npm run lab`. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Given } from "../given/given.ts";
import { realScenarios } from "./real-run.ts";
import type { Topology } from "./plans.ts";
import { type Scenario, scenarioNamed, scenarios } from "./scenarios.ts";

export interface LabOptions {
  readonly scenario: Scenario;
  readonly topology: Topology;
  /** Lab seconds in a second of ours. */
  readonly rate: number;
  /** On real Kubernetes and real Velero. */
  readonly real: boolean;
  /** Clusters and storage that are there already, for a real run; `null`: the lab starts its own. */
  readonly given: Given | null;
  /** Where the report goes. */
  readonly report: string;
  readonly json: boolean;
  readonly keep: boolean;
  /** Port of the public page; `null`: any free one. */
  readonly port: number | null;
  /** `--no-color` was not given. */
  readonly color: boolean;
}

export type ReadOptions =
  | { readonly kind: "options"; readonly options: LabOptions }
  /** Nothing is to be done: help was asked for (0), or the command line is not understood (2). */
  | { readonly kind: "over"; readonly code: 0 | 2 };

interface Surroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Where a secret is looked for that belongs on no command line. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const reportDirectory = ".lab/report";
/** As `az storage` reads it. */
const connectionVariable = "AZURE_STORAGE_CONNECTION_STRING";

/** Reads a command line without the program's name. What is wrong with it is said to `err`. */
export function readOptions(args: readonly string[], { out, err, environment = {} }: Surroundings): ReadOptions {
  const command = new Command("npm run lab --")
    .description("Loses a region on this machine, and gets the application back in the other one: real Velero backups, real Azure SDKs, the function app as it is deployed.")
    .addOption(new Option("--topology <name>", "how the backups reach the other region").choices(["replicated", "shared"]).default("replicated"))
    .addOption(new Option("--scenario <name>", "what happens, see below").choices(scenarios.map(({ name }) => name)).default("region-lost"))
    .option("--report <directory>", "where report.html, report.md and report.json go", reportDirectory)
    .option("--rate <n>", "lab seconds in a second of ours, 1 to 200", wholeNumber(1, 200), 20)
    .option("--real", "two real Kubernetes clusters with real Velero and volumes with files; needs Linux, root, and Go 1.26 for the first build")
    .option("--primary-kubeconfig <file>", `with --real: a cluster with Velero that you have, instead of one of the lab's; needs the next option too, and in ${connectionVariable} a storage account that both reach`)
    .option("--secondary-kubeconfig <file>", "the other cluster; what the lab makes in both it removes at the end")
    .option("--port <n>", "port of the public page (default: any free one)", wholeNumber(1, 65_535))
    .option("--keep", "stay up after the run and say how to reach everything, until Ctrl-C")
    .option("--json", "one JSON object per line on standard output, the report last (with npm: npm run --silent lab -- --json)")
    .option("--no-color", "no colours, whatever the terminal can do; NO_COLOR and FORCE_COLOR are heeded too")
    .addHelpText("after", `\nScenarios:\n${scenarios.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join("\n")}`)
    .addHelpText("after", "\nExit code 0: it ended as the scenario must end, and the report agrees with what was seen from outside.\n1: it did not. 2: not understood or not possible, nothing was started. 130: stopped with Ctrl-C.")
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err, outputError: (text, write) => write(`${text.trimEnd()} (--help shows what there is)\n`) });
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    // Commander ends `--help` this way too, with code 0.
    if (error instanceof CommanderError) return { kind: "over", code: error.exitCode === 0 ? 0 : 2 };
    throw error;
  }
  // Checked by commander, option by option, as they are declared above.
  const given = command.opts<{ topology: Topology; scenario: string; report: string; rate: number; real?: true; port?: number; primaryKubeconfig?: string; secondaryKubeconfig?: string; keep?: true; json?: true; color: boolean }>();
  const { topology, report, real = false, port = null, keep = false, json = false, color } = given;
  const clusters = givenClusters(given, environment);
  const refused = (real ? refusedReal(given.scenario, command.getOptionValueSource("rate") === "default" ? null : given.rate) : null) ?? (typeof clusters === "string" ? clusters : null);
  if (refused !== null || typeof clusters === "string") {
    err(`error: ${refused} (--help shows what there is)\n`);
    return { kind: "over", code: 2 };
  }
  return { kind: "options", options: { scenario: scenarioNamed(given.scenario), topology, report, rate: real ? 1 : given.rate, real, given: clusters, port, keep, json, color } };
}

/** What was given, `null` for nothing; or why it cannot be as given. */
function givenClusters({ real, primaryKubeconfig: primary, secondaryKubeconfig: secondary }: { readonly real?: true; readonly primaryKubeconfig?: string; readonly secondaryKubeconfig?: string }, environment: Readonly<Record<string, string | undefined>>): Given | null | string {
  if (primary === undefined && secondary === undefined) return null;
  if (real !== true) return "--primary-kubeconfig and --secondary-kubeconfig are for a real run: add --real";
  if (primary === undefined || secondary === undefined) return `--${primary === undefined ? "primary" : "secondary"}-kubeconfig is missing: a failover needs two clusters`;
  const storageConnection = environment[connectionVariable] ?? "";
  if (storageConnection.trim() === "") return `${connectionVariable} is not set: both clusters' Veleros need a storage account that they reach; set it to what \`az storage account show-connection-string\` prints`;
  return { primary, secondary, storageConnection };
}

/** Why a real run cannot be as asked; `rate` null: none was given. */
function refusedReal(scenario: string, rate: number | null): string | null {
  if (rate !== null && rate !== 1) return `--rate ${rate} cannot be with --real: real programs live by the clock on the wall, so a real run has rate 1`;
  if (scenarioNamed(scenario).agent) return `--scenario ${scenario} cannot be with --real: its region lives on while it is cut off, and a real one that is lost is killed; with --real there are ${realScenarios.join(", ")}`;
  if (!realScenarios.includes(scenario)) return `--scenario ${scenario} cannot be with --real: it begins with recorded backups, and a real run makes its own; with --real there are ${realScenarios.join(", ")}`;
  return null;
}

const wholeNumber = (min: number, max: number) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  return value;
};
