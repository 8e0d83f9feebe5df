import { z } from "zod";
import { givenKeys } from "./keys.ts";
import { startFault } from "./start-fault.ts";

const mainOptions = z.object({
  appDirectory: z.string().min(1),
  stateDirectory: z.string().min(1),
  port: z.number().int().min(0).max(65_535).default(0),
  /** `LabClock.toString()` of the clock to join. */
  clock: z.string().min(1),
  hosts: z.record(z.string(), z.url()).default({}),
  keys: givenKeys.default({}),
  strict: z.enum(["fail", "warn"]).default("fail"),
  blobPollMs: z.number().positive().default(10_000),
  startFault: startFault.optional(),
  /** Whether the host closes when its stdin ends. */
  endsWithParent: z.boolean().default(false),
});

/** What the host process is told. */
export type MainOptions = z.infer<typeof mainOptions>;
/** What must be told; the rest has defaults. */
export type MainOptionsGiven = z.input<typeof mainOptions>;

/** Reads LAB_HOST and takes it out of the environment, which is the app's. */
export function readMainOptions(environment: Record<string, string | undefined>): MainOptions {
  const text = environment.LAB_HOST;
  if (!text) throw new Error("LAB_HOST is not set: it holds the host's options as JSON, and lab/host/process.ts sets it");
  delete environment.LAB_HOST;
  const read = mainOptions.safeParse(JSON.parse(text));
  if (!read.success) throw new Error(`LAB_HOST: ${z.prettifyError(read.error)}`);
  return read.data;
}
