import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openEngine } from "../../lab/host/durable/engine.ts";
import { openHost } from "../../lab/host/host.ts";

test("a function starts an orchestration over HTTP, and its status answers under the URL that the function handed out", async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), "lifeboat-host-"));
  const host = await openHost({
    appDirectory: fileURLToPath(new URL("apps/through-host", import.meta.url)),
    stateDirectory,
    clock: startClock({ rate: 2_000 }),
    port: 0,
    environment: process.env,
    openEngine,
    log: () => {},
  });
  onTestFinished(async () => {
    await host.close();
    rmSync(stateDirectory, { recursive: true });
  });
  const started = await fetch(`${host.url}/api/start`, { method: "POST", body: '"Ann"', headers: { "content-type": "application/json" } });
  expect(started.status).toBe(202);
  const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
  expect(statusQueryGetUri).toContain("taskHub=Through");
  const status = async () => (await (await fetch(statusQueryGetUri)).json()) as { runtimeStatus: string; output: unknown };
  await expect.poll(async () => (await status()).runtimeStatus, { interval: 5 }).toBe("Completed");
  expect((await status()).output).toEqual({ version: "3.1", said: "hello Ann" });
});
