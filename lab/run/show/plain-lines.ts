import type { LabEvent } from "../events.ts";
import { ending } from "./ending.ts";
import type { Paint } from "./paint.ts";
import { sentence } from "./sentence.ts";
import type { Show } from "./show.ts";

export interface PlainLinesOptions {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly paint: Paint;
  /** Host name that users have. */
  readonly page: string;
  /** Columns to lay the ending out in. */
  readonly columns: number;
}

/** One line for each event, with the lab's time; the report as the ending. */
export function plainLines({ out, err, paint, page, columns }: PlainLinesOptions): Show {
  const failures: string[] = [];
  let served = false;
  return {
    tell(event) {
      served ||= event.event === "serving";
      // The first answer is told as the page being served.
      if (event.event === "answer" && !served) return;
      if (event.event === "failed") failures.push(event.why);
      if (event.event === "report") for (const line of ["", ...ending(event, { paint, columns, failures })]) out(`${line}\n`);
      else out(`${eventLine(event, paint, page)}\n`);
    },
    note: (text) => err(`${text}\n`),
    end: () => undefined,
  };
}

/** `06:07:31  westeurope is lost` */
export function eventLine(event: LabEvent, paint: Paint, page: string): string {
  return `${paint.dim(event.at.slice(11, 19))}  ${coloured(event, paint)(sentence(event, page))}`;
}

function coloured(event: LabEvent, paint: Paint): (text: string) => string {
  switch (event.event) {
    case "lost":
    case "dark":
    case "failed":
      return paint.red;
    case "serving":
    case "answer":
    case "returned":
      return paint.green;
    case "ended":
      return paint.bold;
    case "checked":
      return event.usable ? plain : paint.yellow;
    case "stage":
    case "up":
    case "agent":
    case "backup":
    case "alert":
    case "asked":
    case "step":
    case "report":
      return plain;
  }
}

const plain = (text: string): string => text;
