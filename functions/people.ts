/** People at the HTTP doors: an Entra token, checked here (signature, issuer, audience, expiry), then the one table of rights. */
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";
import type { Config } from "../shared/config.ts";
import { type Act, may, type Person, readClaims } from "../shared/domain/people.ts";
import { problem } from "./answers.ts";
import { tokenRefusal } from "./token-words.ts";

export type Admitted = { readonly kind: "admitted"; readonly person: Person } | { readonly kind: "refused"; readonly response: HttpResponseInit };
/** Lets in whoever may do one of the acts; which of them it is, the body may say, and nobody reads it before. See `notAllowed`. */
export type Doorkeeper = (request: HttpRequest, ...acts: readonly [Act, ...Act[]]) => Promise<Admitted>;

/** Entra's clocks and ours may differ by this much. */
const clockToleranceSeconds = 60;

/** The issuer's keys are fetched when first needed and kept for ten minutes. */
export function openDoorkeeper({ people, endpointHosts }: Pick<Config, "people" | "endpointHosts">): Doorkeeper {
  const url = new URL(people.jwksUrl);
  const instead = endpointHosts[url.hostname.toLowerCase()];
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: 5_000,
    cacheMaxAge: 600_000,
    ...(instead === undefined ? {} : { [customFetch]: (address: string, options: RequestInit) => fetch(new URL(new URL(address).pathname, instead), options) }),
  });
  return async (request, ...acts) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return unauthorized("sign in: the request carries no token");
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: people.issuer, audience: people.audience, clockTolerance: clockToleranceSeconds });
      const who = readClaims(payload);
      if (who.kind === "not-a-person") return unauthorized(who.why);
      const refused = acts.map((act) => notAllowed(who, act));
      const response = refused.find((each) => each !== null);
      if (response && !refused.includes(null)) return { kind: "refused", response };
      return { kind: "admitted", person: who };
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || keysUnread(error)) return { kind: "refused", response: problem(503, "cannot check who you are", "the issuer's keys could not be read: try again", {}, { "retry-after": "5" }) };
      return unauthorized(`the token is not good: ${tokenRefusal(error)}`);
    }
  };
}

/** The answer to somebody who is known and may not do this; `null`: they may. */
export const notAllowed = (person: Person, act: Act): HttpResponseInit | null =>
  may(person, act) ? null : problem(403, "not allowed", `${person.name} has no role that may do this (${act}): ask for one of Lifeboat's app roles`);

/** Whether it was the issuer's keys that failed, not the token: no answer, no list of keys, or another status (which jose reports without a class of its own). */
const keysUnread = (error: errors.JOSEError): boolean => error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === errors.JOSEError.code;

const unauthorized = (why: string): Admitted => ({ kind: "refused", response: problem(401, "who are you?", why, {}, { "www-authenticate": "Bearer" }) });
