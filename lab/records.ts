/** What long measurements have found, kept in docs/: by name a list, because what takes hours is made in parts, each with its command and its commit. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

export function addRecord(file: "simulator-records.json" | "bench-records.json", name: string, record: object): void {
  const place = new URL(`../docs/${file}`, import.meta.url);
  const before = existsSync(place) ? (JSON.parse(readFileSync(place, "utf8")) as Readonly<Record<string, readonly object[]>>) : {};
  writeFileSync(place, `${JSON.stringify({ ...before, [name]: [...(before[name] ?? []), record] }, null, 1)}\n`);
}
