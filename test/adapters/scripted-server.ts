/** A server that says what a test tells it to say, for answers that the lab's faces never give. */
import { type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../../lab/faces/listen.ts";

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Said =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** Takes the request and never answers; closes the connection. */
  | "silence"
  | "reset";

export interface ScriptedServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** What is said from now on. */
  say(answer: Said | ((asked: Asked) => Said)): void;
  close(): Promise<void>;
}

export async function openScriptedServer(): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  let script: (asked: Asked) => Said = () => ({ status: 404 });
  const listener = await listen({}, (request, response) => {
    void read(request).then((one) => {
      asked.push(one);
      send(response, script(one));
    });
  });
  return { url: listener.url, close: () => listener.close(), asked, say: (answer) => void (script = typeof answer === "function" ? answer : () => answer) };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
}

function send(response: ServerResponse, said: Said): void {
  if (said === "silence") return;
  if (said === "reset") return void response.socket?.destroy();
  const { status, headers = {}, body } = said;
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, { "content-type": typeof body === "string" ? "application/xml" : "application/json", ...headers }).end(text);
}
