/** An instant as people read it in a report: `2026-11-21 06:05:00 UTC`, whole seconds. */
export const instantText = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
