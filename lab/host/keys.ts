import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { writeWhole } from "./state-file.ts";

const keysFile = z.object({
  master: z.string().min(1),
  /** Host keys: each opens every function of level `function`. */
  functions: z.record(z.string(), z.string().min(1)),
  /** Keys of extensions; Durable's management URLs carry `durabletask_extension`. */
  system: z.record(z.string(), z.string().min(1)),
});

/** The keys of this host. Made up for one machine; none opens anything else. */
export type HostKeys = z.infer<typeof keysFile>;
/** Some of the keys, given by whoever opens the host. */
export const givenKeys = keysFile.partial();
export type AuthLevel = "anonymous" | "function" | "admin";

/** Reads `keys.json` of a state directory; the first time, makes the keys up and writes it. Given keys win over both. */
export async function openKeys(stateDirectory: string, given: z.infer<typeof givenKeys> = {}): Promise<HostKeys> {
  const file = join(stateDirectory, "keys.json");
  const stored = existsSync(file) ? keysFile.parse(JSON.parse(await readFile(file, "utf8"))) : madeUp();
  const keys = { master: given.master ?? stored.master, functions: given.functions ?? stored.functions, system: given.system ?? stored.system };
  await writeWhole(file, `${JSON.stringify(keys, null, 2)}\n`);
  return keys;
}

function madeUp(): HostKeys {
  const key = (kind: string) => `lab-${kind}-${randomBytes(12).toString("hex")}`;
  return { master: key("master"), functions: { default: key("function") }, system: { durabletask_extension: key("system") } };
}

/** Whether a request may call something of that level: the key is in `x-functions-key` or in `?code=`. */
export function isAllowed(level: AuthLevel, keys: HostKeys, request: IncomingMessage, url: URL): boolean {
  if (level === "anonymous") return true;
  const key = request.headers["x-functions-key"] ?? url.searchParams.get("code");
  if (key === keys.master) return true;
  return level === "function" && Object.values(keys.functions).some((accepted) => accepted === key);
}
