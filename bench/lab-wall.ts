/** `lab-wall`: the whole of `npm run lab` as a user starts it, wall time, against the minute it may take on two cores. */
import { spawn } from "node:child_process";
import { cpus } from "node:os";

const limitSeconds = 60;

export async function labWall(options: ReadonlyMap<string, string>): Promise<Readonly<Record<string, unknown>>> {
  const topology = options.get("topology") ?? "replicated";
  const startedAt = performance.now();
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn("npm", ["run", "--silent", "lab", "--", "--json", "--topology", topology], { stdio: ["ignore", "ignore", "inherit"] });
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const wallSeconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return { ok: code === 0 && wallSeconds < limitSeconds, topology, exitCode: code, wallSeconds, limitSeconds, cores: cpus().length };
}
