/** What a lab run needs of this machine, looked at before anything is started. */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppNotBuilt, appIsBuilt } from "../app-host.ts";
import { CannotListen, listen } from "../faces/listen.ts";
import { controlAddress, primary, secondary } from "../world/pair.ts";

export interface Needs {
  readonly reportDirectory: string;
  /** `null`: any port will do. */
  readonly port: number | null;
}

/** Everything that stands in the way, one sentence each with its remedy; empty: nothing. */
export async function preflight({ reportDirectory, port }: Needs): Promise<readonly string[]> {
  const built = appIsBuilt() ? [] : [new AppNotBuilt().message];
  return [...built, ...(await writable(reportDirectory)), ...(await addresses(port))];
}

/** Made and written into, for that alone tells. */
async function writable(directory: string): Promise<readonly string[]> {
  if (directory.trim() === "") return ["the report needs a directory: --report was given an empty name"];
  const probe = path.join(directory, `.writable-${process.pid}`);
  try {
    await make(path.resolve(directory));
    await writeFile(probe, "");
    await rm(probe);
    return [];
  } catch (error) {
    return [`the report cannot be written to ${path.resolve(directory)}: ${reasonOf(error)}; choose another directory with --report`];
  }
}

/** One directory after the other: Node's own recursive way never returns where making one says that its parent is missing, as below /proc. */
async function make(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  await make(path.dirname(directory));
  await mkdir(directory);
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EACCES":
    case "EPERM":
      return "this user may not write there";
    case "EROFS":
      return "that file system is read-only";
    case "EEXIST":
    case "ENOTDIR":
      return "there is a file where a directory must be";
    case "ENOENT":
      return "nothing can be made there";
    case "ENOSPC":
      return "the disk is full";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Each region has an ingress of its own address, and so has the neutral place; all on one port. */
async function addresses(port: number | null): Promise<readonly string[]> {
  const tried = await Promise.all(
    [primary.ingressAddress, secondary.ingressAddress, controlAddress].map(async (address) => {
      try {
        await (await listen({ address, port: port ?? 0, chooseWith: "--port" }, (_request, response) => response.end())).close();
        return [];
      } catch (error) {
        if (error instanceof CannotListen) return [error.message];
        throw error;
      }
    }),
  );
  return tried.flat();
}
