/** The Go on this machine, which builds Kubernetes and Velero from their modules. */
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";

/** The Go modules in `programs` say `go 1.26.0`. */
const needed = [1, 26] as const;

/** What is wrong with the Go here, with its remedy; `null`: nothing. */
export async function goHurdle(): Promise<string | null> {
  const version = await goVersion();
  if (version === null) return `Go ${needed.join(".")} is not here: it builds Kubernetes and Velero from their modules; install it from https://go.dev/dl and put its bin folder on the PATH`;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return null;
  return `Go ${needed.join(".")} or newer is needed, and this is Go ${version}: install a newer one from https://go.dev/dl and put its bin folder first on the PATH`;
}

/** `1.26.8`; `null`: there is none that answers. */
export async function goVersion(): Promise<string | null> {
  try {
    // An older Go would else go and fetch the one that a module asks for.
    const { stdout } = await promisify(execFile)("go", ["env", "GOVERSION"], { env: { ...process.env, GOTOOLCHAIN: "local" }, timeout: 20_000 });
    return /^go(\d+\.\d+(?:\.\d+)?)/.exec(stdout.trim())?.[1] ?? null;
  } catch {
    return null;
  }
}
