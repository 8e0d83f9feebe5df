/**
 * The one way a request goes through any face: how its region answers, which fault is armed for it, then the work, then the
 * answer, if it is to leave. A face brings only the work.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { RegionName } from "../world/pair.ts";
import type { LabWorld, Reach } from "../world/world.ts";
import { type Answer, json } from "./answer.ts";

export interface Call {
  /** As faults name it: `PATCH trafficManagerProfiles/externalEndpoints`, `POST velero.io/restores`. */
  readonly call: string;
  /** What it is about; default: nothing in particular. */
  readonly thing?: string;
  /** The region that answers; `null`: none of the two, so it is always up. */
  readonly region: RegionName | null;
  /** `effect-without-answer` means something only where there is an effect; elsewhere the answer is lost all the same. */
  readonly mutating: boolean;
  /** How long the call takes before its work is done, in lab milliseconds; default 0. */
  readonly takesMs?: number;
}

/**
 * Does the work and sends its answer. It does not when the region does not answer or a fault says otherwise, and the answer is lost
 * when the region was lost during the work. A blinded request is worked on whatever its region does: what blinds stands on the way, on
 * the side of whoever asks. Resolves when the answer is handed over or is known never to leave; never rejects.
 */
export async function handle(
  world: LabWorld,
  { call, thing = "", region, mutating, takesMs = 0 }: Call,
  request: IncomingMessage,
  response: ServerResponse,
  work: (seen: { readonly blind: boolean }) => Promise<Answer> | Answer,
): Promise<void> {
  const asked = { call, thing, by: request.headers["user-agent"] ?? "" };
  world.noteRequest({ ...asked, mutating });
  const fault = world.takeFault(asked);
  const blind = fault?.kind === "blind";
  const reach = () => (blind ? "up" : world.reach(region));
  if (withheld(reach(), request, response)) return;
  if (fault?.kind === "refused-503") return send(response, unavailable(`${call} was refused by an injected fault`));
  if (fault?.kind === "refused-403") return send(response, forbidden(call));
  const waitMs = takesMs + (fault?.kind === "slow" ? (fault.delayMs ?? 0) : 0);
  if (waitMs > 0) await world.clock.sleep(waitMs);
  // Lost while we waited: what had not begun does not happen.
  if (withheld(reach(), request, response)) return;
  const answer = await answered(call, mutating, request, () => work({ blind }));
  if (fault?.kind === "effect-without-answer") return drop(request, response, answer);
  if (withheld(reach(), request, response, answer)) return;
  if (region !== null && answer.body instanceof Readable) endWithRegion(world, region, request, response, answer.body);
  send(response, answer);
}

/** Whether the region keeps this request from being answered, and how it looks from outside. */
function withheld(reach: Reach, request: IncomingMessage, response: ServerResponse, answer?: Answer): boolean {
  switch (reach) {
    case "up":
      return false;
    case "reset":
      drop(request, response, answer);
      return true;
    case "black-hole":
      // The connection stays, silent, until the client gives up or the server closes.
      if (answer?.body instanceof Readable) answer.body.destroy();
      return true;
    case "unavailable":
      if (answer?.body instanceof Readable) answer.body.destroy();
      send(response, unavailable("the region does not serve"));
      return true;
  }
}

async function answered(call: string, mutating: boolean, { socket }: IncomingMessage, work: () => Promise<Answer> | Answer): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    // A mistake in the lab, never a part of the story: say it where the person who runs the lab looks. When whoever asked has gone, as
    // all have when the lab closes, what the work was done with may be gone too.
    if (!socket.destroyed) process.emitWarning(`the lab could not ${mutating ? "do" : "answer"} ${call}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, "LabMistake");
    return json(500, { error: { code: "LabMistake", message: `${call}: ${error instanceof Error ? error.message : String(error)}` } });
  }
}

/** As ARM says it of a role that is missing. */
const forbidden = (call: string) => json(403, { error: { code: "AuthorizationFailed", message: `The client does not have authorization to perform action '${call}', or the scope is invalid.` } });
const unavailable = (message: string) => json(503, { error: { code: "ServiceUnavailable", message } });

function drop(request: IncomingMessage, response: ServerResponse, answer?: Answer): void {
  if (answer?.body instanceof Readable) answer.body.destroy();
  response.destroy();
  request.socket.destroy();
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed) return;
  // Not writeHead: so Node counts the content-length of a plain body by itself.
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (!(body instanceof Readable)) return void response.end(body);
  response.once("close", () => body.destroy());
  body.once("error", () => response.destroy());
  // A watch that has nothing to say yet has begun all the same.
  response.flushHeaders();
  body.pipe(response);
}

/** Streams on their way, for each world, so that the loss of a region ends them too. */
const streams = new WeakMap<LabWorld, Map<ServerResponse, { readonly region: RegionName; readonly request: IncomingMessage; readonly body: Readable }>>();

function endWithRegion(world: LabWorld, region: RegionName, request: IncomingMessage, response: ServerResponse, body: Readable): void {
  const ofWorld = streams.get(world) ?? watchRegions(world);
  ofWorld.set(response, { region, request, body });
  response.once("close", () => ofWorld.delete(response));
}

function watchRegions(world: LabWorld) {
  const ofWorld: NonNullable<ReturnType<typeof streams.get>> = new Map();
  streams.set(world, ofWorld);
  world.onReach((lost, reach) => {
    if (reach === "up") return;
    for (const [response, { region, request, body }] of ofWorld) {
      if (region !== lost) continue;
      // A black hole does not even say that nothing more comes: the source ends, the connection stays.
      body.unpipe(response);
      body.destroy();
      if (reach !== "black-hole") drop(request, response);
    }
  });
  return ofWorld;
}

/** The body as text. Throws when it has more than `maxBytes`, default 4 MiB. */
export async function bodyOf(request: IncomingMessage, maxBytes = 4 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the body has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
