/** All that a command knows of the terminal it runs in. */
export interface Terminal {
  /** One line of what was asked for, to standard output. */
  out(line: string): void;
  /** One line about the command itself, to standard error. */
  err(line: string): void;
  /** The text of a file, as UTF-8; `-` is standard input. Throws when it cannot be read, or is not UTF-8. */
  read(file: string): string;
  /** The names of all files under a directory, with `/` between their parts, in order. Throws when it cannot be read. */
  list(directory: string): readonly string[];
  /** Whether to colour: a terminal, and nobody asked for NO_COLOR. */
  readonly colour: boolean;
}

const codes = { bold: 1, dim: 2, red: 31, green: 32 } as const;

/** Text in a colour, where the terminal shows colours; otherwise as it is. */
export function painted({ colour }: Terminal, code: keyof typeof codes, text: string): string {
  return colour ? `\u001B[${codes[code]}m${text}\u001B[0m` : text;
}

/** A line of `--json` output: one object, with the format's number first so that readers can tell versions apart. */
export function jsonLine(event: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ format: 1, event, ...fields });
}
