/** Whether the agent still takes its turns, for the kubelet: one that stands still is ended and started anew. */
import http from "node:http";
import type { AddressInfo } from "node:net";

/** Closing takes up to half a minute, a renewal a few seconds more. */
const turnMsMax = 90_000;

export interface Livez {
  readonly port: number;
  /** A turn has ended. */
  turned(): void;
  close(): Promise<void>;
}

/** Serves `GET /livez`: 200 while turns end, 503 when none has for a while. */
export async function serveLivez(port: number, monotonicMs: () => number): Promise<Livez> {
  let turnedMs = monotonicMs();
  const server = http.createServer(({ url }, response) => {
    const silentMs = monotonicMs() - turnedMs;
    const [status, text] = url !== "/livez" ? [404, "only /livez is here"] : silentMs <= turnMsMax ? [200, "ok"] : [503, `no turn has ended for ${Math.round(silentMs / 1_000)} s`];
    response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve));
  return {
    port: (server.address() as AddressInfo).port, // listens on a port, not on a pipe
    turned: () => void (turnedMs = monotonicMs()),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
