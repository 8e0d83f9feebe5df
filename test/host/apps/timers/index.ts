/** Timer functions that write down what they were given. */
import { app, type Timer } from "@azure/functions";

const runs = ((globalThis as { runs?: unknown[] }).runs ??= []);

const note = (name: string) => (timer: Timer, context: { triggerMetadata?: unknown }) => {
  runs.push({ name, timer, hasMetadata: context.triggerMetadata !== undefined });
};

app.timer("five-minutes", { schedule: "%EVERY%", handler: note("five-minutes") });
app.timer("seconds", { schedule: "*/10 * * * * *", handler: note("seconds") });
app.timer("unmonitored", { schedule: "0 */5 * * * *", useMonitor: false, handler: note("unmonitored") });
app.timer("on-startup", { schedule: "0 0 0 1 1 *", runOnStartup: true, handler: note("on-startup") });
app.timer("failing", {
  schedule: "0 */5 * * * *",
  handler: () => {
    runs.push({ name: "failing" });
    throw new Error("the work failed");
  },
});
app.timer("slow", {
  schedule: "0 * * * * *",
  handler: async () => {
    const wait = (globalThis as { wait?: Promise<void> }).wait;
    runs.push({ name: "slow begins" });
    await wait;
    runs.push({ name: "slow ends" });
  },
});
