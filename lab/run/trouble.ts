/** What went wrong with the lab itself, in plain words: what happened and what to do next, without a stack. */
import { AppNotBuilt } from "../app-host.ts";
import { AzuriteFailed } from "../azurite.ts";
import { CannotListen } from "../faces/listen.ts";
import { GivenRefused } from "../given/given.ts";
import { RealClusterFailed } from "../real/failed.ts";
import { BuildFailed } from "../real/programs.ts";

/** One line or more. */
export function troubleOf(error: unknown): string {
  if (error instanceof CannotListen || error instanceof AppNotBuilt || error instanceof GivenRefused || error instanceof BuildFailed) return error.message;
  if (error instanceof RealClusterFailed) return `${error.message}\neverything is taken down again, the logs are kept; on a machine with much else to do, try again when it has less`;
  if (error instanceof AzuriteFailed) return `${error.message}\nAzurite plays the storage accounts; it comes with the project's packages: run \`npm ci\` and try again`;
  if (!(error instanceof Error)) return `the lab failed: ${String(error)}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case "MODULE_NOT_FOUND":
    case "ERR_MODULE_NOT_FOUND":
      return `a package is missing: ${firstLine(error.message)}\nrun \`npm ci\` and try again`;
    case "ENOSPC":
      return `the disk is full: ${error.message}`;
    case "EMFILE":
    case "ENFILE":
      return `too many files are open: ${error.message}\nraise the limit (ulimit -n 4096) and try again`;
    default:
      return `the lab failed: ${error.message}${placeOf(error)}`;
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? text;

/** Where in the lab it was noticed, for whoever reports it: one place, not the way there. */
function placeOf({ stack = "" }: Error): string {
  const place = /\/((?:lab|shared|functions|orchestrations)\/[\w./-]+\.ts:\d+)/.exec(stack)?.[1];
  return place === undefined ? "" : ` (noticed in ${place})`;
}
