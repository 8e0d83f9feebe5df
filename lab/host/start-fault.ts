/** A fault at the durable API, where an app starts its orchestrations: once, for one of them. */
import { ServerResponse } from "node:http";
import { z } from "zod";
import type { Mount } from "./contract.ts";

export const startFault = z.object({
  /** Which orchestration's start is hit. */
  orchestrator: z.string().min(1),
  /** Done and the answer lost, or not done and refused. */
  kind: z.enum(["effect-without-answer", "refused-503"]),
});
export type StartFault = z.infer<typeof startFault>;

/** The durable API, but for the first start of that orchestration. */
export function withStartFault(mount: Mount, { orchestrator, kind }: StartFault): Mount {
  let isArmed = true;
  return async (request, response, url) => {
    const isHit = isArmed && request.method === "POST" && url.pathname.includes(`/orchestrators/${orchestrator}/`);
    if (!isHit) return await mount(request, response, url);
    isArmed = false;
    if (kind === "refused-503") {
      response.writeHead(503).end();
      return true;
    }
    // Answered into the void: this response has no socket.
    const done = await mount(request, new ServerResponse(request), url);
    response.destroy();
    request.socket.destroy();
    return done;
  };
}
