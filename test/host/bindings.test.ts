import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClock } from "../../lab/clock.ts";
import { openBindings, refuseUnknownBindings } from "../../lab/host/bindings.ts";
import type { Binding } from "../../lab/host/core-module.ts";
import type { RegisteredFunction } from "../../lab/host/core-api.ts";
import { openEngine } from "../../lab/host/durable/engine.ts";
import { activityFailure } from "../../lab/host/engine-app.ts";
import { openHost, type Host } from "../../lab/host/host.ts";
import { appDirectory } from "./app-directory.ts";

let stateDirectory: string;
let host: Host;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lifeboat-bindings-"));
  // The library reads WEBSITE_HOSTNAME from the process.
  host = await openHost({ appDirectory: appDirectory("relay"), stateDirectory, clock: startClock(), port: 0, environment: process.env, openEngine, log: () => {} });
});
afterAll(async () => {
  await host.close();
  await rm(stateDirectory, { recursive: true });
});

function withBinding(binding: Binding): RegisteredFunction {
  const trigger = { type: "httpTrigger", direction: "in" };
  return { name: "f", trigger: { type: "httpTrigger", bindingName: "t", binding: trigger }, bindings: { t: trigger, b: binding }, hasRetryPolicy: false };
}

describe("the durableClient binding", () => {
  test("holds the hub, and URLs that are all texts", async () => {
    const { binding } = (await (await fetch(`${host.url}/api/client`)).json()) as { binding: Record<string, unknown> };
    const base = `${host.url}/runtime/webhooks/durabletask`;
    expect(binding).toMatchObject({ taskHubName: "RelayHub", baseUrl: base, rpcBaseUrl: `${host.url}/durabletask/`, requiredQueryStringParameters: expect.stringMatching(/code=/) });
    const { creationUrls, managementUrls } = binding as { creationUrls: Record<string, string>; managementUrls: Record<string, string> };
    expect(Object.keys(creationUrls)).toEqual(["createNewInstancePostUri", "createAndWaitOnNewInstancePostUri"]);
    expect(Object.keys(managementUrls).sort()).toEqual(
      ["id", "purgeHistoryDeleteUri", "restartPostUri", "resumePostUri", "rewindPostUri", "sendEventPostUri", "statusQueryGetUri", "suspendPostUri", "terminatePostUri"].sort(),
    );
    expect([...Object.values(creationUrls), ...Object.values(managementUrls)].every((url) => typeof url === "string")).toBe(true);
  });

  test("makes the library's management payload point at this host", async () => {
    const { payload } = (await (await fetch(`${host.url}/api/client`)).json()) as { payload: Record<string, string> };
    expect(payload.id).toBe("an-id");
    expect(payload.statusQueryGetUri).toMatch(new RegExp(`^${host.url}/runtime/webhooks/durabletask/instances/an-id\\?.*code=`));
    expect(payload.sendEventPostUri).toContain("/instances/an-id/raiseEvent/{eventName}?");
  });

  test("without an engine, says so when the function is called", () => {
    expect(() => openBindings(null).inputsFor(withBinding({ type: "durableClient", direction: "in" }))).toThrow(/"f" wants a durable client: this host was opened without a durable engine/);
  });
});

describe("other bindings", () => {
  test.each<[string, Binding]>([
    ['input binding "b" of type "blob"', { type: "blob", direction: "in" }],
    ['output binding "b" of type "queue"', { type: "queue", direction: "out" }],
  ])("%s is refused at the start, with what to do", (named, binding) => {
    expect(() => refuseUnknownBindings([withBinding(binding)])).toThrow(`use the service's own SDK in the handler instead:\nfunction "f": ${named}`);
  });

  test("an HTTP output and a durable client are served", () => {
    expect(() => refuseUnknownBindings([withBinding({ type: "http", direction: "out" }), withBinding({ type: "durableClient", direction: "in" })])).not.toThrow();
  });
});

describe("an activity's failure", () => {
  test("is told in the texts of the real extension", () => {
    const answer = activityFailure("restore", new Error("no such blob"));
    expect(answer).toMatchObject({ kind: "failed", reason: "Activity function 'restore' failed: no such blob", details: expect.stringContaining("Error: no such blob") });
    expect(answer).not.toHaveProperty("failureDetails");
  });

  test("what is thrown without being an Error is text all the same", () => {
    expect(activityFailure("restore", "no")).toEqual({ kind: "failed", reason: "Activity function 'restore' failed: no", details: "" });
  });

  test("properties of the app's provider become structured details", () => {
    const message = JSON.stringify({ errorType: "WorldError", errorMessage: "gone", isNonRetriable: false, properties: { code: 404 }, stackTrace: "at x" });
    expect(activityFailure("restore", new Error(message))).toMatchObject({
      reason: "Activity function 'restore' failed: gone",
      failureDetails: { ErrorType: "WorldError", ErrorMessage: "gone", StackTrace: "at x", IsNonRetriable: false, Properties: { code: 404 }, InnerFailure: null },
    });
  });

  test("other JSON in a message is only a message", () => {
    expect(activityFailure("restore", new Error('{"errorType":1}'))).not.toHaveProperty("failureDetails");
  });
});
