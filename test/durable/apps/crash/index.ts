/** Orchestrations whose outputs follow from their inputs alone, however often their process dies on the way. */
import * as df from "durable-functions";

const { activity, orchestration } = df.app;
const tries = new Map<string, number>();
const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

activity("add-one", {
  handler: async (n: number) => {
    await pause();
    return n + 1;
  },
});
activity("flaky", {
  handler: async (key: string) => {
    await pause();
    tries.set(key, (tries.get(key) ?? 0) + 1);
    if ((tries.get(key) ?? 0) < 3) throw new Error("not yet");
    return key;
  },
});
/** Rings the bell of an instance; run twice it rings twice, which does no harm. */
activity("ring", {
  handler: async (instanceId: string) => {
    (globalThis as unknown as { ring: (instanceId: string) => void }).ring(instanceId);
  },
});

orchestration("chain", function* (context) {
  let n = 0;
  for (let index = 0; index < context.df.getInput<number>(); index++) n = (yield context.df.callActivity("add-one", n)) as number;
  return n;
});
orchestration("fan", function* (context) {
  const tasks = Array.from({ length: context.df.getInput<number>() }, (_, index) => context.df.callActivity("add-one", index));
  const results = (yield context.df.Task.all(tasks)) as number[];
  return results.reduce((sum, each) => sum + each, 0);
});
orchestration("loop", function* (context) {
  const { left, total } = context.df.getInput<{ left: number; total: number }>();
  const next = (yield context.df.callActivity("add-one", total)) as number;
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 1_000));
  if (left === 1) return next;
  context.df.continueAsNew({ left: left - 1, total: next });
  return;
});
orchestration("retries", function* (context) {
  const keys = Array.from({ length: context.df.getInput<number>() }, (_, index) => `${context.df.instanceId}-${index}`);
  // Every death of the process makes them fail twice more.
  const results = (yield context.df.Task.all(keys.map((key) => context.df.callActivityWithRetry("flaky", new df.RetryOptions(1_000, 100), key)))) as string[];
  return results.length;
});
orchestration("children", function* (context) {
  const depth = context.df.getInput<number>();
  if (depth === 0) return (yield context.df.callActivity("add-one", 0)) as number;
  const results = (yield context.df.Task.all([0, 1].map(() => context.df.callSubOrchestrator("children", depth - 1)))) as number[];
  return results.reduce((sum, each) => sum + each, 0);
});
orchestration("bells", function* (context) {
  let heard = 0;
  for (let index = 0; index < context.df.getInput<number>(); index++) {
    yield context.df.callActivity("ring", context.df.instanceId);
    const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 3_600_000));
    const bell = context.df.waitForExternalEvent("bell");
    const winner = (yield context.df.Task.any([bell, timer])) as df.Task;
    if (winner.isFaulted) throw new Error("a bell cannot fail");
    timer.cancel();
    if (winner === bell) heard++;
  }
  return heard;
});
