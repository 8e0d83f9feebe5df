/** A shell in a container, over the API server as `kubectl exec` has it: how the lab writes to a volume and reads what is on it. */
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Exec, KubeConfig, type V1Status } from "@kubernetes/client-node";
import type { OwnServer } from "./login.ts";

export interface PodPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const timeoutMs = 60_000;

/** The standard output of `sh -c SCRIPT`. Throws with what it wrote to its standard error when it ends with another code than 0. */
export async function inPod(server: OwnServer, { namespace, pod, container }: PodPlace, script: string, input: Uint8Array | null = null): Promise<Buffer> {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "given", server: server.url, caData: Buffer.from(server.caPem).toString("base64"), skipTLSVerify: false }],
    users: [{ name: "lab", token: server.token }],
    contexts: [{ name: "given", cluster: "given", user: "lab" }],
    currentContext: "given",
  });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([buffer(stdout), buffer(stderr)]);
  const where = `a command in ${namespace}/${pod}`;
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  try {
    const ended = await new Promise<V1Status>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${where}: no end within ${timeoutMs / 1_000} s`)), timeoutMs);
      new Exec(config)
        .exec(namespace, pod, container, ["sh", "-c", script], stdout, stderr, input === null ? null : Readable.from(chunks(input)), false, resolve)
        .then((socket) => {
          end = () => socket.close();
          socket.addEventListener("close", () => reject(new Error(`${where}: the connection ended before the command`)));
        }, (error: unknown) => reject(new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`)));
    });
    const [out, err] = await written;
    if (ended.status !== "Success") throw new Error(`${where}: ${err.toString("utf8").trim() || ended.message || "it failed"}`);
    return out;
  } finally {
    clearTimeout(timer);
    end();
  }
}

/** A message of a web socket holds no more than some API servers let through. */
const messageBytes = 32_768;

function* chunks(bytes: Uint8Array): Iterable<Buffer> {
  for (let from = 0; from < bytes.byteLength; from += messageBytes) yield Buffer.from(bytes.subarray(from, from + messageBytes));
}
