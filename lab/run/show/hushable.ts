import type { Show } from "./show.ts";

/** A show that says nothing more once it has shown the report, or is told to hush: what breaks while everything is being closed is no news. */
export function hushable(show: Show): Show & { hush(): void } {
  let hushed = false;
  return {
    tell(event) {
      if (hushed) return;
      hushed = event.event === "report";
      show.tell(event);
    },
    note(text) {
      if (!hushed) show.note(text);
    },
    hush: () => void (hushed = true),
    end: () => show.end(),
  };
}
