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
