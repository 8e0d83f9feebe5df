import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const hostJson = z.object({
  version: z.literal("2.0"),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default("api") }).default({ routePrefix: "api" }),
      durableTask: z
        .object({
          hubName: z.string().optional(),
          defaultVersion: z.string().optional(),
          versionMatchStrategy: z.enum(["None", "Strict", "CurrentOrOlder"]).optional(),
          versionFailureStrategy: z.enum(["Reject", "Fail"]).optional(),
          maxConcurrentActivityFunctions: z.number().int().positive().optional(),
        })
        .default({}),
    })
    .default({ http: { routePrefix: "api" }, durableTask: {} }),
});

/** The part of host.json that this host obeys; the rest is the real host's. */
export type HostJson = z.infer<typeof hostJson>;

/** Reads host.json of an app directory; a missing file is all defaults. */
export async function readHostJson(appDirectory: string): Promise<HostJson> {
  const file = join(appDirectory, "host.json");
  if (!existsSync(file)) return hostJson.parse({ version: "2.0" });
  const read = hostJson.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
  return read.data;
}
