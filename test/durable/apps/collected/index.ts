/** Registers what the test file of this process collected (see `stage.ts`): orchestrators stand beside the tests that use them. */
import * as df from "durable-functions";
import type { Collected } from "../../stage.ts";

const { orchestrations, activities } = (globalThis as unknown as { collected: Collected }).collected;
for (const [name, handler] of orchestrations) df.app.orchestration(name, handler);
for (const [name, handler] of activities) df.app.activity(name, { handler });
df.app.setExceptionPropertiesProvider({
  getExceptionProperties: (error) => (error instanceof Error && "properties" in error ? (error.properties as Record<string, unknown>) : undefined),
});
