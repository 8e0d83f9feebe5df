/** The library's replay engine, which its types leave out: what it is built of in `durable-functions` 3.5.0. */
declare module "durable-functions/lib/src/orchestrations/Orchestrator.js" {
  export class Orchestrator {
    constructor(body: (context: never) => unknown);
    listen(): (trigger: unknown, context: object) => Promise<unknown>;
  }
}
