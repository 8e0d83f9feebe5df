/** Ports on loopback for programs that must be told theirs. */
import net from "node:net";

/** Below the range that Linux gives to outgoing connections (32768 and up): a lost region must find its own port free when it comes back. */
const from = 20_000;
const to = 32_000;
const triesMax = 200;

/** So many ports that nobody listens on at this moment; somebody may still be quicker. Throws when there are none. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries === triesMax) throw new Error(`no ${count} free ports were found between ${from} and ${to} on 127.0.0.1: end what listens there`);
    const port = from + Math.floor(Math.random() * (to - from));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** Does nobody listen on it? */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
