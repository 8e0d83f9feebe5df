/** Who may call what: tokens of the app's identity, one for each audience, and tokens of people, as Entra would give them. */
import { randomBytes } from "node:crypto";
import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import { aksServerApp } from "./pair.ts";
import type { LabWorld } from "./world.ts";

export const audiences = { arm: "https://management.azure.com", storage: "https://storage.azure.com", aks: aksServerApp } as const;
export type Audience = (typeof audiences)[keyof typeof audiences];

/** The app's two managed identities. The observer only reads; the actuator, the one taken when none is named, also writes. */
export const clientIds = { actuator: "00000000-0000-4000-8000-00000000ac70", observer: "00000000-0000-4000-8000-0000000b5e70" } as const;
export type Caller = keyof typeof clientIds;

/** Where people's tokens come from and what they are for, made up. */
export const people = {
  tenant: "00000000-0000-4000-8000-000000007e4a",
  issuer: "https://login.microsoftonline.com/00000000-0000-4000-8000-000000007e4a/v2.0",
  audience: "api://lifeboat",
} as const;
export type Role = "reader" | "operator" | "approver";

export interface Minted {
  readonly token: string;
  readonly expiresAt: number;
}

export type Checked = { readonly kind: "accepted"; readonly caller: Caller } | { readonly kind: "refused"; readonly why: string };

export interface Identity {
  /** A token of the app's identity for one audience. It ends in lab time. */
  mint(audience: Audience, caller?: Caller): Promise<Minted>;
  /** Takes the value of an Authorization header, or nothing. */
  check(authorization: string | undefined, audience: Audience): Promise<Checked>;
  /** A signed token of a person, as the app checks it: issuer, audience, roles. */
  mintPerson(person: { readonly name: string; readonly roles: readonly Role[]; readonly lifeSeconds?: number }): Promise<string>;
  /** The public keys of `mintPerson`. */
  peopleKeys(): Promise<JSONWebKeySet>;
}

/** As Azure: tokens of managed identities live for about a day. */
const lifeSeconds = 24 * 3600;
const serviceIssuer = `https://sts.windows.net/${people.tenant}/`;

export function openIdentity(world: LabWorld): Identity {
  const secret = randomBytes(32);
  // An RSA key takes up to a second to make: when the first person comes.
  let pair: Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> | null = null;
  const peoplePair = () => (pair ??= generateKeyPair("RS256"));
  const seconds = () => Math.floor(world.clock.now() / 1000);

  return {
    async mint(audience, caller = "actuator") {
      const expires = seconds() + lifeSeconds;
      const token = await new SignJWT({ appid: clientIds[caller], oid: clientIds[caller], tid: people.tenant })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuer(serviceIssuer)
        .setAudience(audience)
        .setIssuedAt(seconds())
        .setNotBefore(seconds())
        .setExpirationTime(expires)
        .sign(secret);
      return { token, expiresAt: expires * 1000 };
    },

    async check(authorization, audience) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined) return { kind: "refused", why: "there is no bearer token" };
      try {
        const { payload } = await jwtVerify(token, secret, { issuer: serviceIssuer, audience, currentDate: new Date(world.clock.now()) });
        return { kind: "accepted", caller: payload["appid"] === clientIds.observer ? "observer" : "actuator" };
      } catch (error) {
        return { kind: "refused", why: `the token is not one for ${audience}: ${error instanceof Error ? error.message : String(error)}` };
      }
    },

    async mintPerson({ name, roles, lifeSeconds = 3600 }) {
      const { privateKey } = await peoplePair();
      return new SignJWT({ name, roles: [...roles], tid: people.tenant })
        .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: "lab" })
        .setIssuer(people.issuer)
        .setAudience(people.audience)
        .setSubject(name)
        .setIssuedAt(seconds())
        .setNotBefore(seconds())
        .setExpirationTime(seconds() + lifeSeconds)
        .sign(privateKey);
    },

    async peopleKeys() {
      const { publicKey } = await peoplePair();
      return { keys: [{ ...(await exportJWK(publicKey)), kid: "lab", use: "sig", alg: "RS256" }] };
    },
  };
}
