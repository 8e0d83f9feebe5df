import { Command, CommanderError } from "commander";
import { verifyLedgers } from "./ledger-verify.ts";
import { explainPlan } from "./plan-explain.ts";
import { planSchemaText } from "./plan-schema.ts";
import { problemLines, readOne, validatePlans } from "./plan-validate.ts";
import { showRestorePoints } from "./restore-points.ts";
import { painted, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** 0: done and good · 1: done, and the answer is no · 2: not understood, nothing done. */
export type ExitCode = 0 | 1 | 2;

/** Runs one command line (without the program's name) to its exit code. Never ends the process. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command("lifeboat")
    .description("Moves an AKS application to its other region when its region is lost, and proves that it could.")
    .version(version, "--version", "Print the version.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(`${text.trimEnd()} (lifeboat --help shows what there is)`),
    });

  const plan = program.command("plan").description("Look at plan files. Nothing is sent anywhere.");
  plan
    .command("validate")
    .description("Check plans and list every problem as file:line:column. Exit code 0: all good; 1: at least one is not.")
    .argument("<file...>", "plan files; - is standard input")
    .option("--json", "one JSON object per line")
    .addHelpText("after", "\nExample:\n  lifeboat plan validate docs/plans/*.yaml")
    .action((files: string[], { json = false }: { json?: boolean }) => void (code = validatePlans(files, { json }, terminal)));
  plan
    .command("explain")
    .description("Say in plain words what will happen when the primary region is lost.")
    .argument("<file>", "a plan file; - is standard input")
    .addHelpText("after", "\nExample:\n  lifeboat plan explain docs/plans/shop-replicated.yaml")
    .action((file: string) => {
      const read = readOne(file, terminal);
      if (read.kind === "plan") for (const line of explainPlan(read.plan)) terminal.out(line.startsWith("#") ? painted(terminal, "bold", line.slice(2)) : line);
      else {
        // What was asked for goes into a file or a pager; that there is none must be seen.
        for (const line of problemLines(file, read, terminal)) terminal.err(line);
        code = 1;
      }
    });
  plan
    .command("schema")
    .description("Print the JSON Schema of plan files, for editors: # yaml-language-server: $schema=plan.schema.json")
    .action(() => terminal.out(planSchemaText().trimEnd()));

  const ledger = program.command("ledger").description("Look at a copy of the ledger. Nothing is sent anywhere.");
  ledger
    .command("verify")
    .description("Follow the hash chain of every plan, and name the first entry that was changed, dropped or slipped in. Exit code 0: all whole; 1: one is not.")
    .argument("<directory>", "a copy of the home container")
    .option("--json", "one JSON object per line")
    .addHelpText("after", "\nExample:\n  az storage blob download-batch --account-name stlifeboat --source lifeboat --destination home\n  lifeboat ledger verify home")
    .action((directory: string, { json = false }: { json?: boolean }) => void (code = verifyLedgers(directory, { json }, terminal)));

  program
    .command("restore-points")
    .description("Show which restore points of a plan are proven, and what is wrong; or one of them, level by level. Only looks. Exit code 0: the objective is kept (the point is proven); 1: it is not, or that is not known.")
    .argument("<plan>", "a plan's name")
    .argument("[point]", "one restore point")
    .requiredOption("--app <url>", "the app's address")
    .requiredOption("--token <file>", "a file with your Entra access token; - is standard input")
    .option("--json", "one JSON object per line")
    .addHelpText("after", '\nExample:\n  az account get-access-token --resource "$AUDIENCE" --query accessToken -o tsv | lifeboat restore-points shop --app "$APP" --token -')
    .action(async (plan: string, point: string | undefined, { app, token, json = false }: { app: string; token: string; json?: boolean }) => void (code = await showRestorePoints(plan, point, { app, token, json }, terminal)));

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // Commander ends `--help` this way too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}
