/** Which commit was measured. */
import { execFileSync } from "node:child_process";

/** Short, with `+` where files were changed since, other than the records that a long measurement adds to; `unknown` outside of a checkout. */
export function commit(): string {
  const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)docs/*-records.json") === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}
