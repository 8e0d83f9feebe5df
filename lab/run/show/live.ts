import type { LabEvent } from "../events.ts";
import { wrapped } from "./columns.ts";
import { ending } from "./ending.ts";
import { frame } from "./frame.ts";
import type { Paint } from "./paint.ts";
import { eventLine } from "./plain-lines.ts";
import { advanced, newProgress, type PageState } from "./progress.ts";
import { openScreen, type TerminalStream } from "./screen.ts";
import { sentence } from "./sentence.ts";
import type { Show } from "./show.ts";

export interface LiveOptions {
  readonly stream: TerminalStream;
  readonly paint: Paint;
  readonly page: string;
  readonly title: string;
  readonly kind: "failover" | "recovery";
  /** Lab time, UTC milliseconds. */
  readonly now: () => number;
}

/** Wall milliseconds between two pictures. */
const pictureMs = 100;

/** The steps as they run, redrawn in place; what happened stands above, the report below when all is over. */
export function live({ stream, paint, page, title, kind, now }: LiveOptions): Show {
  const screen = openScreen(stream);
  let progress = newProgress(kind);
  let turn = 0;
  let over = false;
  const draw = () => screen.draw(frame(progress, { paint, columns: screen.columns, rows: screen.rows, now: now(), turn: (turn += 1), page, title }));
  const ticking = setInterval(draw, pictureMs);
  const end = () => {
    if (over) return;
    over = true;
    clearInterval(ticking);
    screen.release();
  };
  // Steps that nobody will take any more are no picture to leave behind.
  const breakOff = () => {
    if (!over && progress.outcome === null) screen.draw([]);
    end();
  };
  return {
    tell(event) {
      const before = progress;
      progress = advanced(progress, event.event === "stage" ? { ...event, stage: sentence(event, page) } : event);
      if (event.event === "report") {
        draw();
        end();
        screen.print(["", ...ending(event, { paint, columns: screen.columns, failures: progress.failures })]);
      } else if (standsAbove(event, before.page)) screen.print(wrapped(eventLine(event, paint, page), screen.columns, " ".repeat(10)));
      if (!over) draw();
    },
    note: (text) => screen.print(wrapped(text, screen.columns)),
    end: breakOff,
  };
}

/** Where the picture shows it better, it is not also told. */
function standsAbove(event: LabEvent, page: PageState): boolean {
  switch (event.event) {
    case "stage":
    case "step":
    case "report":
      return false;
    case "answer":
      // The first one is told as the page being served.
      return page.kind !== "not-yet";
    case "up":
    case "serving":
    case "backup":
    case "checked":
    case "lost":
    case "returned":
    case "agent":
    case "dark":
    case "alert":
    case "asked":
    case "ended":
    case "failed":
      return true;
  }
}
