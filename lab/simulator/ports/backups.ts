import { type Backups, type BlobItem, type BlobPlace, WorldError } from "../../../shared/ports.ts";
import type { Endpoint } from "../../world/storage.ts";
import type { Asked, Network } from "../network.ts";
import type { SimulatedPair } from "../world/pair.ts";

const bytesMaxDefault = 16 * 1024 * 1024;

/** The accounts' blobs, read at the endpoint that the address names. A secondary endpoint takes no writes, nor does a container that is replicated into. */
export function openBackups({ storage, bytes }: Pick<SimulatedPair, "storage" | "bytes">, network: Network): Backups {
  const endpointOf = ({ url }: BlobPlace): Endpoint => {
    const account = new URL(url).hostname.split(".")[0] ?? "";
    const secondary = account.endsWith("-secondary");
    const found = storage.endpoint(account.replace(/-secondary$/, ""), secondary);
    if (!found) throw new WorldError("find account", url, "no such host");
    return found;
  };
  const asked = (op: string, place: BlobPlace, thing: string, mutating = false): Asked => ({ port: "blobs", op, thing, region: endpointOf(place).region, mutating, fastMs: 4, slowMs: 16 });
  const itemOf = (at: Endpoint, container: string, name: string): BlobItem => {
    const content = bytes.get({ store: at.store, container, name });
    const times = storage.times.get({ store: at.store, container, name });
    const { statuses } = storage.replication(at, container, name);
    const replication = statuses.length === 0 ? "pending" : statuses.every(({ status }) => status === "complete") ? "complete" : statuses.some(({ status }) => status === "failed") ? "failed" : "pending";
    // Last-Modified has whole seconds.
    const lastModifiedAt = Math.floor((times?.modifiedAt ?? 0) / 1_000) * 1_000;
    return { name, bytes: content?.length ?? 0, etag: `"${lastModifiedAt}"`, lastModifiedAt, replication };
  };
  const namesUnder = (at: Endpoint, container: string, prefix: string): readonly string[] => bytes.names(at.store, container).filter((name) => name.startsWith(prefix));

  return {
    list: (place, prefix) =>
      eachOf(() =>
        network.ask(asked("list blobs", place, prefix), () => {
          const at = endpointOf(place);
          return namesUnder(at, place.container, prefix).map((name) => itemOf(at, place.container, name));
        }),
      ),
    async folders(place, prefix) {
      return network.ask(asked("list folders", place, prefix), () => {
        const inside = namesUnder(endpointOf(place), place.container, prefix).map((name) => name.slice(prefix.length));
        return [...new Set(inside.filter((name) => name.includes("/")).map((name) => name.slice(0, name.indexOf("/"))))];
      });
    },
    async read(place, name, maxBytes = bytesMaxDefault) {
      return network.ask(asked("read blob", place, name), () => {
        const content = bytes.get({ store: endpointOf(place).store, container: place.container, name });
        if (content !== null && content.length > maxBytes) throw new WorldError("read blob", name, `it has more than ${maxBytes} bytes`);
        return content;
      });
    },
    async open(place, name) {
      const content = await network.ask(asked("open blob", place, name), () => bytes.get({ store: endpointOf(place).store, container: place.container, name }));
      return content === null ? null : chunksOf(content);
    },
    async probeWrite(place, name) {
      return network.ask(asked("probe for writes", place, name, true), () => {
        const at = endpointOf(place);
        if (at.secondary) return { kind: "read-only" };
        return storage.isLocked(at, place.container) ? { kind: "locked" } : { kind: "accepted" };
      });
    },
  };
}

/** Out here: a generator made anew for each host has a hidden class of its own, which holds the host's whole run in memory, as a getter would (`Clock` in player.ts). */
async function* eachOf<T>(asked: () => Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await asked();
}

const chunkBytes = 1024 * 1024;

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
}
