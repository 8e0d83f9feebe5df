/** Opens and closes the lab's servers on loopback: a free port or a fixed one, all connections ended with the server. */
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

export interface Place {
  /** A loopback address; default 127.0.0.1. */
  readonly address?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** What a person sets to have another port, `--port`; for the message when it is taken. */
  readonly chooseWith?: string;
  /** Given: HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** `http://127.0.0.1:4321`, without a slash at the end. */
  readonly url: string;
  /** Ends every connection, answered or not. Closing twice is closing once. */
  close(): Promise<void>;
}

/** Throws a `CannotListen` when the place cannot be had. */
export async function listen(place: Place, onRequest: http.RequestListener): Promise<Listener> {
  const { address = "127.0.0.1", port = 0, tls } = place;
  const server = tls ? https.createServer({ key: tls.key, cert: tls.cert }, onRequest) : http.createServer(onRequest);
  // Real services keep idle connections for minutes. Node's five seconds would close them under a client that is just about to send.
  server.keepAliveTimeout = 120_000;
  // A client that leaves in the middle of a handshake or a request is an everyday thing here.
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new CannotListen(address, port, error, place.chooseWith)));
    server.listen(port, address, resolve);
  });
  const taken = (server.address() as AddressInfo).port;
  return {
    address,
    port: taken,
    url: `${tls ? "https" : "http"}://${address}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A fixed port or address cannot be had; the message says why and what to do. */
export class CannotListen extends Error {
  override readonly name = "CannotListen";
  constructor(address: string, port: number, cause: NodeJS.ErrnoException, chooseWith = "another setting of the port") {
    super(explain(address, port, cause, chooseWith), { cause });
  }
}

function explain(address: string, port: number, cause: NodeJS.ErrnoException, chooseWith: string): string {
  switch (cause.code) {
    case "EADDRINUSE":
      return `port ${port} on ${address} is in use by another program: free it or choose another with ${chooseWith}`;
    case "EACCES":
      return `port ${port} on ${address} needs more rights than this user has: choose one above 1023 with ${chooseWith}`;
    case "EADDRNOTAVAIL":
      // Linux has all of 127.0.0.0/8; macOS has 127.0.0.1 alone until told otherwise.
      return `${address} is not an address of this machine: add it to the loopback interface (macOS: sudo ifconfig lo0 alias ${address})`;
    default:
      return `cannot listen on port ${port} of ${address}: ${cause.message}`;
  }
}
