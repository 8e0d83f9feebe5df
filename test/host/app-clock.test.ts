import { types } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { labStart, startClock } from "../../lab/clock.ts";
import { installAppClock } from "../../lab/host/app-clock.ts";

const RealDate = Date;
const at = Date.parse("2026-11-21T06:05:00.250Z");
let now = at;
let uninstall: () => void;

beforeEach(() => {
  now = at;
  uninstall = installAppClock({ now: () => now });
});
afterEach(() => uninstall());

describe("the app's Date", () => {
  test("reads the clock with new, now and as a function, each time anew", () => {
    expect([Date.now(), new Date().getTime()]).toEqual([at, at]);
    expect(Date()).toBe(new RealDate(at).toString());
    now += 1_000;
    expect([Date.now(), new Date().getTime()]).toEqual([at + 1_000, at + 1_000]);
  });

  test("is the real Date in all else", () => {
    expect(new Date(0).toISOString()).toBe("1970-01-01T00:00:00.000Z");
    expect(new Date(2026, 1, 3).getMonth()).toBe(1);
    expect(new Date("2026-01-01T00:00:00Z").getTime()).toBe(Date.UTC(2026, 0, 1));
    expect(Date.parse("1970-01-01T00:00:01Z")).toBe(1_000);
    expect([Date.name, Date.length]).toEqual(["Date", 7]);
    expect(Number.isNaN(new Date(Number.NaN).getTime())).toBe(true);
  });

  test("instanceof holds for dates of either kind, and the constructor is the app's", () => {
    expect(new RealDate(0) instanceof Date).toBe(true);
    expect(new Date() instanceof RealDate).toBe(true);
    expect(new Date().constructor).toBe(Date);
    expect(types.isDate(new Date())).toBe(true);
  });

  test("classes extend it", () => {
    class Deadline extends Date {
      readonly kind = "deadline";
    }
    const deadline = new Deadline();
    expect([deadline.getTime(), deadline.kind, deadline instanceof Deadline, deadline instanceof Date]).toEqual([at, "deadline", true, true]);
  });

  test("goes through JSON, structuredClone and Intl unharmed", () => {
    const date = new Date();
    expect(JSON.stringify({ date })).toBe('{"date":"2026-11-21T06:05:00.250Z"}');
    expect(structuredClone(date)).toEqual(date);
    expect(structuredClone(date) instanceof Date).toBe(true);
    expect(new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", dateStyle: "short", timeStyle: "short" }).format(date)).toBe("21/11/2026, 06:05");
    expect(date.toLocaleDateString("en-GB", { timeZone: "UTC" })).toBe("21/11/2026");
  });

  test("leaves timers on wall time", async () => {
    now = labStart;
    const wallBefore = RealDate.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(RealDate.now() - wallBefore).toBeGreaterThanOrEqual(25);
    expect(RealDate.now() - wallBefore).toBeLessThan(5_000);
  });

  test("real SDK pieces read it: a token's cache and a signed request", async () => {
    const { StorageSharedKeyCredential, generateBlobSASQueryParameters, BlobSASPermissions } = await import("@azure/storage-blob");
    const credential = new StorageSharedKeyCredential("stlab", Buffer.from("a key made up for a test").toString("base64"));
    const sas = generateBlobSASQueryParameters(
      { containerName: "velero", permissions: BlobSASPermissions.parse("r"), startsOn: new Date(), expiresOn: new Date(Date.now() + 60_000) },
      credential,
    );
    expect(new URLSearchParams(sas.toString()).get("se")).toBe("2026-11-21T06:06:00Z");

    const { SignJWT, jwtVerify, errors } = await import("jose");
    const secret = new TextEncoder().encode("a secret made up for a test, long enough");
    const token = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setIssuedAt().setExpirationTime("1m").sign(secret);
    expect((await jwtVerify(token, secret)).payload.iat).toBe(Math.floor(at / 1_000));
    now += 120_000;
    await expect(jwtVerify(token, secret)).rejects.toThrow(errors.JWTExpired);
  });
});

test("the real Date comes back, also as the constructor of dates", () => {
  uninstall();
  expect(Date).toBe(RealDate);
  expect(new Date().constructor).toBe(RealDate);
  uninstall = () => {};
});

test("the lab's clock goes on reading the wall while it gives the app its time", () => {
  uninstall();
  const clock = startClock({ startMs: at, rate: 1 });
  uninstall = installAppClock(clock);
  expect(Math.abs(Date.now() - at)).toBeLessThan(1_000);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(100);
});
