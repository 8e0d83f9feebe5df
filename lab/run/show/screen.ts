/** The foot of a terminal, redrawn in place; what is printed goes above it and stays. */
import { columnsOf } from "./columns.ts";

/** What we need of standard output. */
export interface TerminalStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Lines above the picture, for good. */
  print(lines: readonly string[]): void;
  /** Takes the place of the picture before. Each line must fit the width. */
  draw(lines: readonly string[]): void;
  /** Leaves the last picture standing, gives the cursor back, and draws no more. */
  release(): void;
}

const hideCursor = "\u001B[?25l";
const showCursor = "\u001B[?25h";
const clearToEndOfLine = "\u001B[K";
const clearBelow = "\u001B[J";
/** Synchronized output: a terminal that knows it shows all of one write at once; others ignore it. */
const together = (text: string) => `\u001B[?2026h${text}\u001B[?2026l`;

export function openScreen(stream: TerminalStream): Screen {
  let picture: readonly string[] = [];
  let hidden = false;
  let released = false;
  // A terminal that does not know its size says nothing, or zero.
  const columns = () => stream.columns || 80;

  /** To the first row of the picture. After a resize a terminal has broken its lines anew, so rows are counted at the width of now. */
  const toTop = () => {
    const rows = picture.reduce((sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / columns())), 0);
    return `\r${rows > 0 ? `\u001B[${rows}A` : ""}`;
  };
  const put = (above: readonly string[], lines: readonly string[]) => {
    const body = [...above, ...lines].map((line) => `${line}${clearToEndOfLine}\n`).join("");
    stream.write(together(`${hidden ? "" : hideCursor}${toTop()}${body}${clearBelow}`));
    hidden = true;
    picture = lines;
  };

  return {
    get columns() {
      return columns();
    },
    get rows() {
      return stream.rows || 24;
    },
    print(lines) {
      if (released) stream.write(lines.map((line) => `${line}\n`).join(""));
      else put(lines, picture);
    },
    draw(lines) {
      if (!released && (lines.length !== picture.length || lines.some((line, at) => line !== picture[at]))) put([], lines);
    },
    release() {
      if (released) return;
      released = true;
      if (hidden) stream.write(showCursor);
    },
  };
}
