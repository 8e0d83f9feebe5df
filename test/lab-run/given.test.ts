import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { withImages } from "../../lab/given/images.ts";
import { isNewEnough, ownLocations } from "../../lab/given/velero.ts";
import type { ApiObject } from "../../lab/real/api.ts";

describe("given clusters", () => {
  test.each([
    ["v1.18.3", true],
    ["v1.18.0-rc.1", true],
    ["1.20.1", true],
    ["v2.0.0", true],
    ["v1.17.9", false],
    ["v1.9.0", false],
    ["main", false],
    ["", false],
  ])("Velero %j is new enough: %s", (version, enough) => {
    expect(isNewEnough(version)).toBe(enough);
  });

  test("the lab's storage locations have names of their own, none of them the default", () => {
    expect(ownLocations).toEqual(["lifeboat-lab", "replica", "own"]);
  });

  test("no container of the shop comes from a registry that does not exist, and the database's has a shell where its volume is", async () => {
    const objects = parseAllDocuments(await readFile(new URL("../../lab/applications/shop.yaml", import.meta.url), "utf8")).map((document) => document.toJS() as ApiObject);
    const changed = objects.map(withImages);
    const workloads = changed.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    expect(JSON.stringify(workloads)).not.toContain("shopregistry.azurecr.io");
    const orders = workloads.find(({ metadata }) => metadata.name === "orders");
    expect(orders).toMatchObject({ spec: { template: { spec: { containers: [{ name: "postgres", command: ["sh", "-c", expect.any(String)], workingDir: "/var/lib/postgresql/data" }] } } } });
    expect(changed.filter((object, at) => object === objects[at])).toHaveLength(objects.length - workloads.length);
  });
});
