import { describe, expect, test } from "vitest";
import { outcomeKinds } from "../../shared/domain/outcome.ts";
import { examplePlan } from "../domain/example-plans.ts";
import { stage } from "./stage.ts";

const { play } = stage();

describe("a failover that goes well", () => {
  test("takes its steps in the order of the runbook", async () => {
    const { ended, trace, problems, head } = await play();
    const { outcome, report } = await ended();
    expect(outcome).toEqual({ kind: "recovered", restorePoint: "shop-hourly-20261121055825", unprotected: true });
    const place = (step: string) => trace.indexOf(step);
    for (const [first, then] of [
      ["confirm-loss", "assess-target"],
      ["assess-target", "warm-target"],
      ["weigh-restore-points", "warm-target"],
      ["target-warm", "close-primary"],
      ["close-primary", "choose-restore-point"],
      ["quiet-primary", "choose-restore-point"],
      ["choose-restore-point", "read-policy"],
      ["read-policy", "pass-data-point"],
      ["pass-data-point", "delete-policy"],
      ["check-target", "start-restore"],
      ["store-takes-writes", "start-restore"],
      ["restore-ended", "verify-applications"],
      ["verify-applications", "open-secondary"],
      ["open-secondary", "seen-from-outside"],
      ["seen-from-outside", "release-consumers"],
      ["start-backups", "first-backup-completed"],
      ["first-backup-completed", "report"],
      ["report", "close-run"],
    ] as const) {
      expect(place(first), first).toBeGreaterThanOrEqual(0);
      expect(place(first), `${first} before ${then}`).toBeLessThan(place(then));
    }
    expect(problems).toEqual([]);
    expect(report?.steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["accept accepted", ...["confirm", "decide", "fence", "choose", "promote", "make-ready", "restore", "verify", "open", "release", "report"].map((phase) => `${phase} done`)]);
    expect(await head()).toMatchObject({ run: null, active: "secondary", last: { outcome: "recovered" } });
  });
});
