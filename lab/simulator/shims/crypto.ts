/** `node:crypto` whose ids come from the seed. */
import { now } from "../time/virtual.ts";

export { createHash } from "node:crypto";

export function randomUUID(): string {
  const { random } = now();
  const hex = Array.from({ length: 4 }, () => Math.floor(random.next() * 2 ** 32).toString(16).padStart(8, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
