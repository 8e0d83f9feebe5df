/** The doorkeeper of the simulated app: who somebody is stands in a header. Tokens are for `test/doors`, which sends real ones. */
import type { HttpRequest } from "./functions.ts";

export * from "../../../functions/people.ts";

interface Admitted {
  readonly kind: "admitted";
  readonly person: { readonly kind: "person"; readonly id: string; readonly name: string; readonly roles: readonly string[] };
}

export function openDoorkeeper() {
  return (request: HttpRequest): Promise<Admitted> => {
    const name = request.headers.get("x-person") ?? "nobody";
    return Promise.resolve({ kind: "admitted", person: { kind: "person", id: `id of ${name}`, name, roles: ["operator", "approver"] } });
  };
}
