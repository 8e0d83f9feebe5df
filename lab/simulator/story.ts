/** What happened in a run, line by line. Its digest is the run's fingerprint: two plays of one seed have the same. */
import { createHash } from "node:crypto";
import { labStart } from "../clock.ts";

export interface Line {
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** What is told when the secondary's front falls over. */
export const fallsText = "scales the secondary's storefront to nothing";

export class Story {
  readonly #told: { readonly at: number; readonly who: string; readonly what: string | (() => string) }[] = [];
  readonly #lines: Line[] = [];

  /** Put into words when somebody asks: most runs are never told. */
  get lines(): readonly Line[] {
    for (const { at, who, what } of this.#told.slice(this.#lines.length)) this.#lines.push({ at, who, what: typeof what === "string" ? what : what() });
    return this.#lines;
  }

  tell(at: number, who: string, what: string | (() => string)): void {
    this.#told.push({ at, who, what });
  }

  /** Equal for every play of one scenario by one version of the code. */
  digest(): string {
    return createHash("sha256").update(this.lines.map(({ at, who, what }) => `${at} ${who} ${what}`).join("\n")).digest("hex");
  }
}

/** `+01:23:45.678  host-1  what` */
export function lineText({ at, who, what }: Line): string {
  const ms = at - labStart;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `+${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}.${String(ms % 1_000).padStart(3, "0")}  ${who.padEnd(9)} ${what}`;
}
