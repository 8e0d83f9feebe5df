import { accounts } from "../world/pair.ts";

export type Role = "primary" | "secondary";

/** A place in which one region's Velero reads or writes. */
export interface LocationPlace {
  readonly name: string;
  /** Whose key opens it. */
  readonly account: string;
  /** The account's endpoint: its name, or the one with `-secondary`. */
  readonly endpoint: string;
  readonly container: string;
  readonly accessMode: "ReadWrite" | "ReadOnly";
  readonly isDefault: boolean;
}

/** Where each region's Velero reads and writes. The secondary has a location for the replica from the first day, and one of its own. */
export function locationsOf(role: Role, topology: "shared" | "replicated"): readonly LocationPlace[] {
  const at = (name: string, account: string, container: string, accessMode: LocationPlace["accessMode"], endpoint = account): LocationPlace => ({ name, account, endpoint, container, accessMode, isDefault: accessMode === "ReadWrite" });
  const source = topology === "shared" ? accounts.shared.name : accounts.source.name;
  if (role === "primary") return [at("default", source, "velero", "ReadWrite")];
  const replica = topology === "shared" ? at("replica", source, "velero", "ReadOnly", `${source}-secondary`) : at("replica", accounts.replica.name, "velero", "ReadOnly");
  return [replica, at("own", accounts.replica.name, "velero-neu", "ReadWrite")];
}

/** The name of the location that this region's Velero writes to. */
export const writtenTo = (role: Role): string => (role === "primary" ? "default" : "own");
