/** Keeps the objects of one collection as the API server has them. */
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { type ApiConnection, type ApiObject, callOptions, itemsIn } from "./api.ts";

export interface Watched {
  /** By `namespace/name`, `/name` where there are no namespaces. While the API server is away, as it was last seen. */
  readonly objects: ReadonlyMap<string, ApiObject>;
  /** It asks again at once where it would wait: the API server is back. */
  close(): Promise<void>;
}

export const keyOf = ({ metadata: { namespace = "", name } }: ApiObject): string => `${namespace}/${name}`;

const againMs = 250;
/** The API server ends a watch by itself after so long; then we list again. */
const watchSeconds = 600;

/** `path` is that of a collection, `/api/v1/pods`. Told of every change, once the collection has been listed; must not throw. */
export function watchObjects(api: ApiConnection, path: string, onChange: () => void): Watched {
  const objects = new Map<string, ApiObject>();
  const closing = new AbortController();
  const { signal } = closing;

  const relist = async (): Promise<string> => {
    const answer = await api.request("GET", path);
    const items = itemsIn(`GET ${path}`, answer);
    objects.clear();
    for (const item of items) objects.set(keyOf(item), item);
    onChange();
    const { resourceVersion = "" } = (answer.body["metadata"] ?? {}) as { readonly resourceVersion?: string };
    return resourceVersion;
  };
  const take = (event: WatchEvent) => {
    if (event.type === "ADDED" || event.type === "MODIFIED") objects.set(keyOf(event.object), event.object);
    else if (event.type === "DELETED") objects.delete(keyOf(event.object));
    else return;
    onChange();
  };
  const run = async () => {
    while (!signal.aborted) {
      // Whatever ends a watch, an API server that goes away or a version that is too old, the way on is to list again.
      await relist()
        .then((version) => follow(api, `${path}?watch=1&timeoutSeconds=${watchSeconds}&resourceVersion=${version}`, take, signal))
        .catch(() => undefined);
      await wait(againMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    objects,
    async close() {
      closing.abort();
      await running;
    },
  };
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

/** Resolves when the stream ends. */
async function follow({ server }: ApiConnection, path: string, take: (event: WatchEvent) => void, signal: AbortSignal): Promise<void> {
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
    const { tls, headers } = callOptions(server);
    const request = https.get(new URL(path, server.url), { ...tls, agent: false, signal, headers: { ...headers, accept: "application/json" } }, resolve);
    request.on("error", reject);
  });
  if (response.statusCode !== 200) {
    response.destroy();
    return;
  }
  for await (const line of createInterface({ input: response })) {
    const event = JSON.parse(line) as WatchEvent;
    if (event.type === "ERROR") {
      response.destroy();
      return;
    }
    take(event);
  }
}
