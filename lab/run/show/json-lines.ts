import type { Show } from "./show.ts";

export interface JsonLinesOptions {
  /** Standard output: events and nothing else. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** One JSON object per line, with the format's number first so that readers can tell versions apart. */
export function jsonLines({ out, err }: JsonLinesOptions): Show {
  return {
    tell: (event) => out(`${JSON.stringify({ format: 1, ...event })}\n`),
    note: (text) => err(`${text}\n`),
    end: () => undefined,
  };
}
