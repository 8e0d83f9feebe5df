import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acts, may, type Person, readClaims, roles } from "../../shared/domain/people.ts";

const ada = { oid: "11111111-2222-4333-8444-555555555555", sub: "s", scp: "access_as_user", name: "Ada Example", roles: ["operator"] };
const person = (...given: Person["roles"]): Person => ({ kind: "person", id: "x", name: "X", roles: given });

describe("claims", () => {
  test("give a person by object id, with the roles that are ours", () => {
    expect(readClaims({ ...ada, roles: ["operator", "Reader", "payroll"] })).toEqual({ kind: "person", id: ada.oid, name: "Ada Example", roles: ["operator"] });
  });

  test.each([
    ["without an object id, by subject", { ...ada, oid: undefined }, { id: "s" }],
    ["without a name, by the name to sign in with", { ...ada, name: undefined, preferred_username: "ada@example.com" }, { name: "ada@example.com" }],
    ["without any name, by the id", { ...ada, name: undefined }, { name: ada.oid }],
    ["without roles, as somebody who may do nothing", { ...ada, roles: undefined }, { roles: [] }],
    ["with a name of several lines, on one", { ...ada, name: "Ada\r\n\u001B[31mroot\u202E" }, { name: "Ada [31mroot" }],
    ["with a name that nobody sees, by saying so", { ...ada, name: "\u202E\r\n" }, { name: "(no name)" }],
  ])("%s", (_, claims, expected) => {
    expect(readClaims(claims)).toMatchObject({ kind: "person", ...expected });
  });

  test.each([
    ["nothing", undefined, /form/],
    ["no id at all", { name: "Ada", roles: ["approver"] }, /neither oid nor sub/],
    ["roles that are no list", { ...ada, roles: "operator" }, /roles/],
    ["an application that says so", { ...ada, idtyp: "app", roles: ["approver"] }, /application/],
    ["an application that shows it by its claims", { ...ada, sub: ada.oid, scp: undefined }, /application/],
  ])("of %s are no person's, and the reason is given", (_, claims, why) => {
    const read = readClaims(claims);
    expect(read).toMatchObject({ kind: "not-a-person", why: expect.stringMatching(why) });
  });

  test("have bounds: what is longer than Entra writes it is no claim of it", () => {
    const long = { oid: 128, sub: 256, idtyp: 64, scp: 4_096 } as const;
    for (const [claim, most] of Object.entries(long)) {
      expect(readClaims({ ...ada, [claim]: "x".repeat(most) }).kind, claim).toBe("person");
      expect(readClaims({ ...ada, [claim]: "x".repeat(most + 1) }), claim).toEqual({ kind: "not-a-person", why: `the token's claim ${claim} has not the form that Entra gives it` });
    }
    for (const claim of ["oid", "sub"] as const) expect([readClaims({ ...ada, [claim]: "" }).kind, readClaims({ ...ada, [claim]: "x" }).kind], claim).toEqual(["not-a-person", "person"]);
    expect(readClaims({ ...ada, roles: [...Array<string>(199).fill("payroll"), "reader"] })).toMatchObject({ roles: ["reader"] });
    expect(readClaims({ ...ada, roles: Array<string>(201).fill("reader") }).kind).toBe("not-a-person");
    expect(readClaims({ ...ada, roles: ["reader", 7] })).toEqual({ kind: "not-a-person", why: "the token's claim roles.1 has not the form that Entra gives it" });
    expect(readClaims(null)).toEqual({ kind: "not-a-person", why: "the token's claim set has not the form that Entra gives it" });
    expect(readClaims({ ...ada, name: "x".repeat(500) })).toMatchObject({ name: "x".repeat(120) });
  });

  test("of a person are one's although some of an application's signs are there", () => {
    for (const claims of [{ ...ada, sub: ada.oid }, { ...ada, scp: undefined }, { ...ada, idtyp: "user", sub: ada.oid, scp: undefined }, { sub: "s", roles: [] }]) expect(readClaims(claims).kind).toBe("person");
    expect(readClaims({ ...ada, idtyp: "APP" }).kind).toBe("not-a-person");
  });

  test("may be anything without harm, and never give a role that they do not name", () => {
    const claims = fc.oneof(fc.anything(), fc.record({ oid: fc.string(), sub: fc.string(), name: fc.string({ unit: "binary" }), roles: fc.array(fc.constantFrom("reader", "APPROVER", "__proto__", "operator ")) }, { requiredKeys: [] }));
    fc.assert(fc.property(claims, (given) => {
      const read = readClaims(given);
      return read.kind === "not-a-person" ? read.why !== "" : read.roles.every((role) => (given as { roles: string[] }).roles.includes(role)) && !/\p{Cc}/u.test(read.name);
    }));
  });
});

describe("rights", () => {
  test("are exactly these", () => {
    expect(Object.fromEntries(roles.map((role) => [role, acts.filter((act) => may(person(role), act))]))).toEqual({
      reader: ["read"],
      operator: ["read", "put-plan", "start-drill", "start-failover", "start-recovery", "start-failback", "abort", "decline"],
      approver: ["read", "abort", "decline", "approve"],
    });
  });

  test("nobody may do anything without a role", () => {
    expect(acts.filter((act) => may(person(), act))).toEqual([]);
  });

  test("no single role both starts a failover and approves it", () => {
    expect(roles.filter((role) => may(person(role), "start-failover") && may(person(role), "approve"))).toEqual([]);
  });

  test("of several roles add up", () => {
    expect(may(person("operator", "approver"), "approve")).toBe(true);
  });
});
