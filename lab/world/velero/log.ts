/** Lines of Velero's own logs, in its own form. */
import { timestamp } from "../kubernetes/object.ts";

export function logLine(at: number, level: "info" | "warning" | "error", message: string, fields: Readonly<Record<string, string>>): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${/^[\w./:-]*$/.test(value) ? value : JSON.stringify(value)}`);
  return `time="${timestamp(at)}" level=${level} msg=${JSON.stringify(message)}${rest.join("")}\n`;
}
