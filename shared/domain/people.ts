/**
 * Who may do what. People come with an Entra token that the app has checked already (signature, issuer, audience, expiry); this
 * file reads the claims and holds the one table of rights. Deciding and asking for a failover are different rights on purpose.
 */
import { z } from "zod";

/** What a person can do, each behind one route or one command. */
export const acts = [
  "read", // plans, runs, reports
  "put-plan", // a new version of a plan
  "start-drill",
  "start-failover",
  "start-recovery", // one application in place, in the region that serves
  "start-failback",
  "abort", // ask a run to stop; the run undoes what can be undone
  "decline", // object within a veto window, or say no to an approval
  "approve",
] as const;
export type Act = (typeof acts)[number];

export const roles = ["reader", "operator", "approver"] as const;
export type Role = (typeof roles)[number];

/** Every right, once. No role holds both `start-failover` and `approve`: whoever has only one of them needs a second person. */
export const rights: Readonly<Record<Role, readonly Act[]>> = {
  reader: ["read"],
  operator: ["read", "put-plan", "start-drill", "start-failover", "start-recovery", "start-failback", "abort", "decline"],
  approver: ["read", "abort", "decline", "approve"],
};

/** Somebody whose token was good. `id` is the object id in the tenant and never changes; `name` is for people to read. */
export interface Person {
  readonly kind: "person";
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

export type WhoseClaims = Person | { readonly kind: "not-a-person"; readonly why: string };

/** Whether one of the person's roles holds that right. Nobody may do anything without a role. */
export function may(person: Person, act: Act): boolean {
  return person.roles.some((role) => rights[role].includes(act));
}

/** Bounds are generous for Entra (ids of 36 characters) and small enough for a log line. */
const claimsSchema = z.object({
  oid: z.string().min(1).max(128).optional(),
  sub: z.string().min(1).max(256).optional(),
  idtyp: z.string().max(64).optional(),
  scp: z.string().max(4096).optional(),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
  roles: z.array(z.string()).max(200).default([]),
});

/**
 * Reads the claims of a checked token. Roles that are not ours are left out, so a person may come without any; a token that an
 * application got for itself is not a person, whatever its roles.
 */
export function readClaims(claims: unknown): WhoseClaims {
  const read = claimsSchema.safeParse(claims);
  if (!read.success) return { kind: "not-a-person", why: `the token's claim ${read.error.issues[0]?.path.join(".") || "set"} has not the form that Entra gives it` };
  const { oid, sub, idtyp, scp, roles: given, ...names } = read.data;
  const id = oid ?? sub;
  if (id === undefined) return { kind: "not-a-person", why: "the token names nobody: neither oid nor sub is in it" };
  // `idtyp` is an optional claim. Where it is missing, Entra's own rule tells: no scope, and subject and object are the same thing.
  const application = idtyp === undefined ? scp === undefined && oid !== undefined && oid === sub : idtyp.toLowerCase() === "app";
  if (application) return { kind: "not-a-person", why: "the token belongs to an application; a person must sign in" };
  return { kind: "person", id, name: readable(names.name ?? names.preferred_username ?? id), roles: roles.filter((role) => given.includes(role)) };
}

/** On one line and short, because names end in logs and reports. */
function readable(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim().slice(0, 120) || "(no name)";
}
