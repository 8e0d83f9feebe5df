/** GET /api/plans/{plan}/restore-points and …/{name}: which points are proven, what is wrong, and the evidence. By the register alone: no store is asked. */
import { app } from "@azure/functions";
import { own } from "../../shared/domain/own.ts";
import { onePointTold, restorePointsTold } from "../../shared/domain/restore-points-told.ts";
import type { World } from "../../shared/ports.ts";
import { readRegister } from "../activities/register.ts";
import { openRecords } from "../activities/restore-points/records.ts";
import { answer, door, problem } from "../answers.ts";
import type { Doorkeeper } from "../people.ts";
import { plansAt } from "../runs.ts";

export function restorePointsAsked(world: World, admit: Doorkeeper): void {
  const planNamed = async (name: string) => (await plansAt(world.home)).plans.find(({ plan }) => plan.plan === name)?.plan ?? null;
  const noPlan = (name: string) => problem(404, "no such plan", `there is no valid plan ${name}`);

  app.http("restore-points-asked", {
    route: "plans/{plan}/restore-points",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const name = request.params["plan"] ?? "";
      const plan = await planNamed(name);
      if (plan === null) return noPlan(name);
      return answer(200, restorePointsTold(await readRegister(world.home, name), plan, world.clock.now()));
    }),
  });

  app.http("restore-point-asked", {
    route: "plans/{plan}/restore-points/{name}",
    methods: ["GET"],
    authLevel: "anonymous",
    handler: door(async (request) => {
      const admitted = await admit(request, "read");
      if (admitted.kind === "refused") return admitted.response;
      const { plan: planName = "", name = "" } = request.params;
      const plan = await planNamed(planName);
      if (plan === null) return noPlan(planName);
      const register = await readRegister(world.home, planName);
      const point = own(register.points, name);
      if (point === undefined) return problem(404, "no such restore point", `the register of ${planName} has no restore point ${name}`);
      const found = await openRecords(world.home, planName, null).found(name);
      return answer(200, onePointTold(name, point, found, register, plan, world.clock.now()));
    }),
  });
}
