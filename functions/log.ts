/** A log line is an event name and fields, never a composed sentence. */
export type Log = (event: string, fields: Readonly<Record<string, unknown>>) => void;
