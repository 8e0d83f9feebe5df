import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LabClock } from "../clock.ts";
import type { Mount } from "./contract.ts";
import { BodyTooLarge } from "./http-body.ts";
import type { HostLog } from "./log.ts";

/** A listening server. Before `serve` everything is answered 503. */
export interface HttpListener {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Asks these in order; who answers first has it, and none is 404. */
  serve(mounts: readonly Mount[]): void;
  /** Resolves when no request runs, or after that much wall time. */
  drained(graceMs: number): Promise<void>;
  /** Cuts what is still connected. */
  close(): Promise<void>;
}

/** Listens on a loopback port; 0 takes a free one. Fails with a plain sentence when the port is taken. */
export async function listenHttp({ port, clock, log }: { readonly port: number; readonly clock: LabClock; readonly log: HostLog }): Promise<HttpListener> {
  let mounts: readonly Mount[] | null = null;
  const running = new Set<ServerResponse>();
  let onEnd = () => {};
  const server = createServer((request, response) => {
    running.add(response);
    response.once("close", () => {
      running.delete(response);
      onEnd();
    });
    response.setHeader("date", new Date(clock.now()).toUTCString());
    const url = requestUrl(request);
    if (!mounts) return void response.writeHead(503, { "retry-after": "1" }).end();
    dispatch(mounts, request, response, url).catch((error: unknown) => fail(response, error, `${request.method} ${url.pathname}`, log));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new Error(`port ${port} is in use: stop who has it, or give the host another port (0 takes a free one)`) : error),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    // A listening TCP server has an address of this kind.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (given) => void (mounts = given),
    async drained(graceMs) {
      const done = new Promise<void>((resolve) => {
        onEnd = () => running.size === 0 && resolve();
        onEnd();
      });
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function dispatch(mounts: readonly Mount[], request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  for (const mount of mounts) if (await mount(request, response, url)) return;
  response.writeHead(404).end();
}

/** What no mount caught. An answer that has begun can only be cut off. */
function fail(response: ServerResponse, error: unknown, what: string, log: HostLog): void {
  if (response.headersSent) return void response.destroy();
  for (const name of response.getHeaderNames()) if (name !== "date") response.removeHeader(name);
  if (error instanceof BodyTooLarge) return void response.writeHead(413, { connection: "close" }).end();
  log({ level: "error", category: "system", message: `${what} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
  response.writeHead(500).end();
}

/** The address as the client sees it; a request without a usable Host is ours all the same. */
function requestUrl(request: IncomingMessage): URL {
  const target = request.url ?? "/";
  const host = request.headers.host ?? "127.0.0.1";
  const absolute = `http://${host}${target}`;
  return URL.canParse(absolute) ? new URL(absolute) : new URL("http://127.0.0.1/");
}
