/** What the app and the host say, one record at a time, as the language worker passes it to the real host. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly category: LogCategory;
  readonly message: string;
  readonly functionName?: string;
  readonly invocationId?: string;
}

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";
/** `user`: the app's own `context.log`; `system`: libraries and the host. */
export type LogCategory = "user" | "system" | "customMetric";

/** Takes a record; never throws. */
export type HostLog = (record: LogRecord) => void;
