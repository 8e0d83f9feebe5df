/** A way to show a lab run. All ways are told the same events. */
import type { LabEvent } from "../events.ts";

export interface Show {
  tell(event: LabEvent): void;
  /** Something about the lab itself, in one sentence: not an event of the run. */
  note(text: string): void;
  /** The last of it: leaves the terminal as it was found. Ending twice is ending once. */
  end(): void;
}
