import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { withImages } from "../../lab/given/images.ts";
import { openOrders } from "../../lab/given/orders-volume.ts";
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

  describe("the shop's orders", () => {
    const pod = (uid: string, status: "True" | "False"): ReadonlyMap<string, ApiObject> => new Map([["shop/orders-0", { metadata: { name: "orders-0", namespace: "shop", uid }, status: { conditions: [{ type: "Ready", status }] } }]]);

    test("are read once for each pod that is Ready, and are nobody's when it is gone", async () => {
      let reads = 0;
      const orders = openOrders({ read: async () => `read ${(reads += 1)}`, onTrouble: (why) => expect.unreachable(why) });
      orders.seen(pod("a", "False"));
      expect(reads).toBe(0);
      for (const uid of ["a", "a", "b"]) orders.seen(pod(uid, "True"));
      await expect.poll(() => orders.files("data-orders-0")).toEqual({ "orders.txt": "read 2" });
      orders.written();
      await expect.poll(() => orders.files("data-orders-0")).toEqual({ "orders.txt": "read 3" });
      expect(orders.files("another")).toBeNull();
      orders.seen(new Map());
      expect(orders.files("data-orders-0")).toBeNull();
    });

    test("that could not be read are read again although no pod changes, and it is told once", async () => {
      const answers = [new Error("the connection ended"), new Error("the connection ended"), "order 1000"];
      const told: string[] = [];
      const read = async () => {
        const answer = answers.shift();
        if (typeof answer !== "string") throw answer ?? new Error("asked too often");
        return answer;
      };
      const orders = openOrders({ read, onTrouble: (why) => void told.push(why), againMs: 5 });
      orders.seen(pod("a", "True"));
      await expect.poll(() => orders.files("data-orders-0")).toEqual({ "orders.txt": "order 1000" });
      expect(told).toEqual(["the connection ended"]);
    });

    test("that are read late do not hide what was written since", async () => {
      const answer: ((text: string) => void)[] = [];
      const orders = openOrders({ read: () => new Promise((resolve) => void answer.push(resolve)), onTrouble: (why) => expect.unreachable(why) });
      orders.seen(pod("a", "True"));
      orders.written();
      answer[1]?.("new");
      await expect.poll(() => orders.files("data-orders-0")).toEqual({ "orders.txt": "new" });
      answer[0]?.("old");
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(orders.files("data-orders-0")).toEqual({ "orders.txt": "new" });
    });
  });

  test("no container of the shop comes from a registry that does not exist, and the database's has a shell where its volume is", async () => {
    const objects = parseAllDocuments(await readFile(new URL("../../lab/applications/shop.yaml", import.meta.url), "utf8")).map((document) => document.toJS() as ApiObject);
    const changed = objects.map(withImages);
    const workloads = changed.filter(({ kind = "" }) => ["Deployment", "StatefulSet", "CronJob"].includes(kind));
    expect(JSON.stringify(workloads)).not.toContain("shopregistry.azurecr.io");
    const orders = workloads.find(({ metadata }) => metadata.name === "orders");
    expect(orders).toMatchObject({ spec: { template: { spec: { containers: [{ name: "postgres", command: ["sh", "-c", expect.any(String)], workingDir: "/var/lib/postgresql/data" }] } } } });
    expect(changed.filter((object, at) => object === objects[at])).toHaveLength(objects.length - workloads.length);
  });
});
