/** GET /api/plans and PUT /api/plans/{plan}: plans as they are, and a new version of one, validated before it is kept. */
import { app } from "@azure/functions";
import * as df from "durable-functions";
import { readPlan } from "../../shared/domain/plan-file.ts";
import { clashes } from "../../shared/domain/plans-together.ts";
import { emptyRegister } from "../../shared/domain/register.ts";
import type { World } from "../../shared/ports.ts";
import { readRegister } from "../activities/register.ts";
import { answer, door, problem } from "../answers.ts";
import { openLedger, sha256 } from "../ledger.ts";
import type { Doorkeeper } from "../people.ts";
import { planName } from "../../shared/domain/plan-name.ts";
import { plansAt } from "../runs.ts";
import { startVerification } from "../start.ts";

export function plansAsked(world: World, admit: Doorkeeper): void {
  const ledger = openLedger(world.home);

  app.http("plans-asked", {
    route: "plans",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const { plans, unreadable } = await plansAt(world.home);
      const standing = await Promise.all(
        plans.map(async ({ plan, hash }) => {
          const { epoch, active, run, last, unprotectedSinceAt } = await ledger.head(plan.plan);
          return { plan: plan.plan, hash, topology: plan.storage.topology, epoch, active, openRun: run?.id ?? null, last, unprotectedSinceAt };
        }),
      );
      return answer(200, { plans: standing, unreadable });
    }),
  });

  app.http("plan-asked", {
    route: "plans/{plan}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const name = request.params["plan"] ?? "";
      const found = (await plansAt(world.home)).plans.find(({ plan }) => plan.plan === name);
      if (!found) return problem(404, "no such plan", `there is no valid plan ${name}`);
      const [head, register] = await Promise.all([ledger.head(name), readRegister(world.home, name)]);
      return answer(200, { plan: found.plan, hash: found.hash, head, register: register ?? emptyRegister }, { etag: `"${head.epoch}"` });
    }),
  });

  df.app.client.http("plan-put", {
    route: "plans/{plan}",
    methods: ["PUT"],
    authLevel: "anonymous",
    handler: door(async (request, client) => {
      const admitted = await admit(request, "put-plan");
      if (admitted.kind === "refused") return admitted.response;
      const name = request.params["plan"] ?? "";
      const text = utf8(await request.arrayBuffer());
      if (text === null) return problem(422, "not UTF-8", "the file is not text in UTF-8: save it in that encoding and send it again; nothing was changed");
      const read = readPlan(text, sha256);
      if (read.kind === "unreadable") return problem(422, "not a valid plan", `${read.problems.length} problem(s); nothing was changed`, { problems: read.problems });
      if (read.plan.plan !== name) return problem(422, "not this plan", `the file says plan ${read.plan.plan}, the address ${name}`);
      const clashing = clashes(read.plan, (await plansAt(world.home)).plans.map(({ plan }) => plan));
      if (clashing.length > 0) return problem(409, "not beside another plan", `${clashing.map((one) => one.problem).join("; ")}; nothing was changed`, { problems: clashing });
      await world.home.put(planName(name), text, "application/yaml");
      // A plan is verified from its first minute, not from the next quarter of an hour.
      await startVerification(client, name);
      return answer(200, { plan: name, hash: read.hash });
    }),
  });
}

/** `null`: some of it is not UTF-8. A plan with a wrong letter in it must not be kept in place of the one that was meant. */
function utf8(bytes: ArrayBuffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
