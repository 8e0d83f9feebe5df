import type { InstanceRow, Snapshot } from "./store.ts";
import { historyView } from "./history-view.ts";

/** Which instances are asked for. Times in UTC ms. */
export interface InstanceFilter {
  readonly createdFrom: number | null;
  readonly createdTo: number | null;
  /** Lower case; null: any. */
  readonly statuses: ReadonlySet<string> | null;
  readonly idPrefix: string;
}

/** One page of instances, and where the next one begins: null when this is the last. */
export interface InstancePage {
  readonly rows: readonly InstanceRow[];
  readonly continuationToken: string | null;
}

/** Instances that fit, by id. The token is opaque to callers; one that is not ours begins at the start. */
export function listInstances(snapshot: Snapshot, filter: InstanceFilter, top: number, token: string | null): InstancePage {
  const after = token === null ? "" : Buffer.from(token, "base64url").toString("utf8");
  const rows = [...snapshot.rows.values()]
    .filter((row) => fits(row, filter) && row.instanceId > after)
    .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  const page = rows.slice(0, top);
  const last = page.at(-1);
  const continuationToken = last && rows.length > page.length ? Buffer.from(last.instanceId, "utf8").toString("base64url") : null;
  return { rows: page, continuationToken };
}

function fits(row: InstanceRow, { createdFrom, createdTo, statuses, idPrefix }: InstanceFilter): boolean {
  return (
    row.instanceId.startsWith(idPrefix) &&
    (createdFrom === null || row.createdAt >= createdFrom) &&
    (createdTo === null || row.createdAt <= createdTo) &&
    (statuses === null || statuses.has(row.status.toLowerCase()))
  );
}

/** Reads a filter from a query string; null for a time that is none. */
export function readFilter(query: URLSearchParams): InstanceFilter {
  const statuses = query.getAll("runtimeStatus").flatMap((each) => each.split(",")).filter(Boolean);
  return {
    createdFrom: timeOf(query.get("createdTimeFrom")),
    createdTo: timeOf(query.get("createdTimeTo")),
    statuses: statuses.length === 0 ? null : new Set(statuses.map((status) => status.trim().toLowerCase())),
    idPrefix: query.get("instanceIdPrefix") ?? "",
  };
}

function timeOf(text: string | null): number | null {
  const time = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

/** What a status shows beside the row. */
export interface StatusOptions {
  readonly showInput: boolean;
  readonly showHistory: boolean;
  readonly showHistoryOutput: boolean;
}

/** The status of an instance as JSON. `input` and `output` are always there: the client refuses a status without them. */
export function statusBody(row: InstanceRow, snapshot: Snapshot, options: StatusOptions): Record<string, unknown> {
  return {
    name: row.name,
    instanceId: row.instanceId,
    runtimeStatus: row.status,
    input: options.showInput ? parsed(row.input) : null,
    customStatus: parsed(row.customStatus),
    output: parsed(row.output),
    createdTime: wholeSeconds(row.createdAt),
    lastUpdatedTime: wholeSeconds(row.updatedAt),
    ...(options.showHistory ? { historyEvents: historyView(snapshot.histories.get(row.instanceId) ?? [], options.showHistoryOutput) } : {}),
  };
}

/** JSON where the text is JSON, else the text, as the extension does with outputs and reasons. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function wholeSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
