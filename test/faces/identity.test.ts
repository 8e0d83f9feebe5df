import { TrafficManagerManagementClient } from "@azure/arm-trafficmanager";
import { ManagedIdentityCredential } from "@azure/identity";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { openIdentityFace } from "../../lab/faces/identity.ts";
import { audiences, clientIds, people } from "../../lab/world/identity.ts";
import { subscription } from "../../lab/world/pair.ts";
import { openControlPlane } from "./control-plane.ts";

const secret = "not-a-real-secret";

async function open() {
  const plane = await openControlPlane();
  const face = await openIdentityFace(plane.world, plane.parts.identity, secret);
  onTestFinished(() => face.close());
  const ask = async (query: string, headers: Record<string, string> = { "x-identity-header": secret }) => {
    const answer = await fetch(`${face.tokenUrl}?${query}`, { headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  return { ...plane, face, ask };
}

afterEach(() => {
  delete process.env["IDENTITY_ENDPOINT"];
  delete process.env["IDENTITY_HEADER"];
});

test("Microsoft's own managed identity gets a token for each audience, and ARM takes the one for ARM", async () => {
  const { face, client, parts } = await open();
  process.env["IDENTITY_ENDPOINT"] = face.tokenUrl;
  process.env["IDENTITY_HEADER"] = secret;
  const credential = new ManagedIdentityCredential();
  const traffic = new TrafficManagerManagementClient(credential, subscription, client);
  expect((await traffic.profiles.get("rg-shop-global", "tm-shop")).name).toBe("tm-shop");
  const { token } = await credential.getToken(`${audiences.aks}/.default`);
  expect(decodeJwt(token)).toMatchObject({ aud: audiences.aks, appid: clientIds.actuator });
  expect(await parts.identity.check(`Bearer ${token}`, audiences.aks)).toEqual({ kind: "accepted", caller: "actuator" });
  expect(await parts.identity.check(`Bearer ${token}`, audiences.arm)).toMatchObject({ kind: "refused", why: expect.stringContaining('"aud"') as string });
  expect(decodeJwt((await credential.getToken(`${audiences.storage}/.default`)).token).aud).toBe(audiences.storage);
});

test("without the header, for an unknown resource or identity there is no token", async () => {
  const { ask } = await open();
  const arm = `resource=${encodeURIComponent(audiences.arm)}`;
  expect(await ask(`api-version=2019-08-01&${arm}`, {})).toMatchObject({ status: 401 });
  expect(await ask(`api-version=2019-08-01&${arm}`, { "x-identity-header": "wrong" })).toMatchObject({ status: 401 });
  expect(await ask(arm)).toMatchObject({ status: 400, body: { message: "api-version is missing" } });
  expect(await ask("api-version=2019-08-01&resource=https://vault.azure.net")).toMatchObject({ status: 400 });
  expect(await ask(`api-version=2019-08-01&${arm}&client_id=nobody`)).toMatchObject({ status: 400 });
});

test("a user-assigned identity is named by its client id", async () => {
  const { ask, parts } = await open();
  const { status, body } = await ask(`api-version=2019-08-01&resource=${encodeURIComponent(audiences.arm)}/&client_id=${clientIds.observer}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ token_type: "Bearer", expires_on: expect.stringMatching(/^\d+$/) as string });
  expect(await parts.identity.check(`Bearer ${body["access_token"]}`, audiences.arm)).toEqual({ kind: "accepted", caller: "observer" });
});

test("a token ends in lab time, and one of another run is not known", async () => {
  const { parts, clock } = await open();
  const { token, expiresAt } = await parts.identity.mint(audiences.arm);
  expect(expiresAt - clock.now()).toBe(24 * 3_600_000);
  await clock.advance(24 * 3_600_000 + 1_000);
  expect(await parts.identity.check(`Bearer ${token}`, audiences.arm)).toMatchObject({ kind: "refused" });
  const other = await (await open()).parts.identity.mint(audiences.arm);
  expect(await parts.identity.check(`Bearer ${other.token}`, audiences.arm)).toMatchObject({ kind: "refused" });
  expect(await parts.identity.check("Basic abc", audiences.arm)).toEqual({ kind: "refused", why: "there is no bearer token" });
  expect(await parts.identity.check(undefined, audiences.arm)).toMatchObject({ kind: "refused" });
});

test("a person's token is checked by the published keys alone, and a forged one is not", async () => {
  const { face, parts, clock } = await open();
  const configuration = (await (await fetch(face.openidConfigurationUrl)).json()) as { issuer: string; jwks_uri: string };
  expect(configuration).toMatchObject({ issuer: people.issuer, jwks_uri: face.keysUrl });
  const keys = createRemoteJWKSet(new URL(configuration.jwks_uri));
  const check = (token: string) => jwtVerify(token, keys, { issuer: people.issuer, audience: people.audience, currentDate: new Date(clock.now()) });
  const token = await parts.identity.mintPerson({ name: "Ada", roles: ["reader", "approver"] });
  expect((await check(token)).payload).toMatchObject({ name: "Ada", roles: ["reader", "approver"] });
  const stranger = await (await open()).parts.identity.mintPerson({ name: "Eve", roles: ["approver"] });
  await expect(check(stranger)).rejects.toThrow("signature verification failed");
  const expired = await parts.identity.mintPerson({ name: "Ada", roles: ["reader"], lifeSeconds: -1 });
  await expect(check(expired)).rejects.toThrow("exp");
  const { token: service } = await parts.identity.mint(audiences.arm);
  await expect(check(service), "the app's own token is no person's").rejects.toThrow(/alg|key/i);
});
