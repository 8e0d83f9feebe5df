import { fileURLToPath } from "node:url";

/** The directory of one of the small function apps that the host's tests load. */
export function appDirectory(name: string): string {
  return fileURLToPath(new URL(`./apps/${name}`, import.meta.url));
}
