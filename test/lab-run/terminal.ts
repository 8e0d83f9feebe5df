/** A terminal for tests: knows the few sequences that our screen uses, and breaks on any other. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Breaks all lines anew, as terminals do. */
  resize(columns: number): void;
  write(text: string): void;
  /** What somebody would read now, from the first line ever written; colours taken off. */
  lines(): readonly string[];
  readonly cursorHidden: boolean;
  /** How often something was written. */
  readonly writes: number;
}

export function openTerminal({ columns = 80, rows = 24 } = {}): Terminal {
  const screen: string[] = [""];
  let row = 0;
  let column = 0;
  let cursorHidden = false;
  let writes = 0;

  const put = (letter: string) => {
    if (column >= terminal.columns) newLine();
    const line = (screen[row] ?? "").padEnd(column);
    screen[row] = line.slice(0, column) + letter + line.slice(column + 1);
    column += 1;
  };
  const newLine = () => {
    row += 1;
    column = 0;
    screen[row] ??= "";
  };
  const obey = (sequence: string) => {
    const [, mark = "", number = "", verb = ""] = /^\[(\??)(\d*)([A-Za-z])$/.exec(sequence) ?? [];
    switch (`${mark}${verb}`) {
      case "A":
        row = Math.max(0, row - Number(number));
        // What has left the top of the window cannot be reached any more.
        if (screen.length - row > terminal.rows) throw new Error(`the cursor went up to a line that is out of sight: ${screen.length - row} of ${terminal.rows} rows`);
        return;
      case "K":
        screen[row] = (screen[row] ?? "").slice(0, column);
        return;
      case "J":
        screen.length = row + 1;
        screen[row] = (screen[row] ?? "").slice(0, column);
        return;
      case "m":
        return;
      case "?h":
      case "?l":
        if (number === "25") cursorHidden = verb === "l";
        return;
      default:
        throw new Error(`the terminal does not know ESC ${sequence}`);
    }
  };
  let width = columns;
  const terminal: Terminal = {
    get columns() {
      return width;
    },
    rows,
    resize(columns) {
      width = columns;
      const broken = screen.map((line) => line.trimEnd().match(new RegExp(`.{1,${columns}}`, "gu")) ?? [""]);
      row = broken.slice(0, row).flat().length;
      screen.splice(0, screen.length, ...broken.flat());
    },
    write(text) {
      writes += 1;
      for (const piece of text.match(/\p{Control}\[\??\d*[A-Za-z]|[\s\S]/gu) ?? []) {
        if (piece.length > 1 && piece.startsWith("\u001B")) obey(piece.slice(1));
        else if (piece === "\n") newLine();
        else if (piece === "\r") column = 0;
        else put(piece);
      }
    },
    lines: () => screen.map((line) => line.trimEnd()),
    get cursorHidden() {
      return cursorHidden;
    },
    get writes() {
      return writes;
    },
  };
  return terminal;
}
