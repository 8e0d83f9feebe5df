/** The doors of the running app for a person's shell: where it is, the key of the alert door, and a token for each role. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { functionKey } from "../app-host.ts";
import type { Role } from "../world/identity.ts";
import type { RunningLab } from "./run-lab.ts";

const people = { operator: "Ada Operator", approver: "Grace Approver", reader: "Rita Reader" } as const satisfies Record<Role, string>;
/** The tokens live by the lab's clock: long enough for an afternoon at the greatest rate. */
const lifeSeconds = 30 * 24 * 3_600;

/** Writes `doors.env`, to be sourced: APP, KEY, TOKEN (an operator's), APPROVER_TOKEN, READER_TOKEN. Gone with the run. Returns its path. */
export async function writeDoors(lab: RunningLab): Promise<string> {
  const { pair, stateDirectory } = lab;
  const token = (role: Role) => pair.people.mintPerson({ name: people[role], roles: [role], lifeSeconds });
  const [operator, approver, reader] = await Promise.all([token("operator"), token("approver"), token("reader")]);
  const file = path.join(stateDirectory, "doors.env");
  const values = { APP: lab.host().url, KEY: functionKey, TOKEN: operator, APPROVER_TOKEN: approver, READER_TOKEN: reader };
  await writeFile(file, Object.entries(values).map(([name, value]) => `export ${name}=${value}\n`).join(""));
  return file;
}
