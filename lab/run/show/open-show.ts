import type { WriteStream } from "node:tty";
import type { LabOptions } from "../options.ts";
import { jsonLines } from "./json-lines.ts";
import { live } from "./live.ts";
import { coloursWanted, paintIn } from "./paint.ts";
import { plainLines } from "./plain-lines.ts";
import type { Show } from "./show.ts";

export interface ShowOptions {
  readonly options: LabOptions;
  /** Host name that users have. */
  readonly page: string;
  /** Lab time, UTC milliseconds. */
  readonly now: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Pick<WriteStream, "write" | "isTTY" | "columns" | "rows">;
  readonly stderr: { write(text: string): unknown };
}

/** Lines laid out for nobody's terminal. */
const plainColumns = 100;

/** JSON where it was asked for, a live picture on a terminal that can draw, plain lines elsewhere. */
export function openShow({ options, page, now, environment, stdout, stderr }: ShowOptions): Show {
  const out = (text: string) => void stdout.write(text);
  const err = (text: string) => void stderr.write(text);
  if (options.json) return jsonLines({ out, err });
  const { scenario, topology, rate } = options;
  const paint = paintIn(coloursWanted({ refused: !options.color, isTerminal: stdout.isTTY, environment }));
  if (!stdout.isTTY || environment["TERM"] === "dumb") return plainLines({ out, err, paint, page, columns: plainColumns });
  return live({ stream: stdout, paint, page, now, title: `${scenario.name}, ${topology} storage, ${rate} × wall clock`, kind: scenario.loss.kind === "namespace" ? "recovery" : "failover" });
}
