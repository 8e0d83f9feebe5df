/** Which commit was measured. */
import { execFileSync } from "node:child_process";

const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

function checkedOut(): string {
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)docs/*-records.json") === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}

// When the measurement begins: the sources may be others when it ends.
const measured = checkedOut();

/** Short, with `+` where files were changed since, other than the records that a long measurement adds to; `unknown` outside of a checkout. */
export const commit = (): string => measured;
