import { describe, test } from "vitest";
import type { Home } from "../../shared/ports.ts";

/** What every Home must do. `open` gives an empty one each time. */
export function homeContract(name: string, open: () => Promise<Home>): void {
  describe(`${name} keeps the home contract`, () => {
    test("what was never written is null", async ({ expect }) => {
      const home = await open();
      expect(await home.read("ledger/shop/head.json")).toBeNull();
    });

    test("where it keeps time, it tells when a blob was written and when it was asked, by one clock", async ({ expect }) => {
      const home = await open();
      const dated = async () => home.dated?.("agents/shop/lease.json");
      expect((await dated()) ?? null).toBeNull();
      await home.put("agents/shop/lease.json", "first");
      const first = await dated();
      await home.put("agents/shop/lease.json", "second");
      const second = await dated();
      if (home.dated !== undefined) expect(second).toMatchObject({ ...(await home.read("agents/shop/lease.json")), body: "second" });
      for (const found of [first, second]) expect(found?.writtenAt ?? 0).toBeLessThanOrEqual(found?.answeredAt ?? 0);
      expect(second?.writtenAt ?? 0).toBeGreaterThanOrEqual(first?.writtenAt ?? 0);
    });

    test("a blob is created once, and a second create changes nothing", async ({ expect }) => {
      const home = await open();
      expect(await home.create("ledger/shop/7/fence/pools.intent", "first")).toBe(true);
      expect(await home.create("ledger/shop/7/fence/pools.intent", "second")).toBe(false);
      expect((await home.read("ledger/shop/7/fence/pools.intent"))?.body).toBe("first");
    });

    test("of ten creates at once exactly one succeeds", async ({ expect }) => {
      const home = await open();
      const created = await Promise.all(Array.from({ length: 10 }, (_, at) => home.create("entry.json", `writer ${at}`)));
      expect(created.filter(Boolean)).toHaveLength(1);
      expect((await home.read("entry.json"))?.body).toBe(`writer ${created.indexOf(true)}`);
    });

    test("a replace needs the ETag of what is there, and gives the next one", async ({ expect }) => {
      const home = await open();
      await home.create("head.json", "epoch 7");
      const before = (await home.read("head.json"))?.etag ?? "";
      const after = await home.replace("head.json", "epoch 8", before);
      expect(await home.read("head.json")).toEqual({ body: "epoch 8", etag: after });
      expect(await home.replace("head.json", "epoch 9", before)).toBeNull();
      expect((await home.read("head.json"))?.body).toBe("epoch 8");
      expect(await home.replace("head.json", "epoch 9", after ?? "")).not.toBeNull();
    });

    test("of ten replaces at once exactly one succeeds", async ({ expect }) => {
      const home = await open();
      await home.create("head.json", "nobody");
      const etag = (await home.read("head.json"))?.etag ?? "";
      const replaced = await Promise.all(Array.from({ length: 10 }, (_, at) => home.replace("head.json", `writer ${at}`, etag)));
      expect(replaced.filter((after) => after !== null)).toHaveLength(1);
      expect((await home.read("head.json"))?.body).toBe(`writer ${replaced.findIndex((after) => after !== null)}`);
    });

    test("what is not there cannot be replaced", async ({ expect }) => {
      const home = await open();
      expect(await home.replace("head.json", "epoch 1", '"0x8DE1A2B3C4D5E6F"')).toBeNull();
      expect(await home.read("head.json")).toBeNull();
    });

    test("a put writes whatever was there", async ({ expect }) => {
      const home = await open();
      await home.put("reports/shop-7/report.md", "# draft");
      await home.put("reports/shop-7/report.md", "# Région perdue, 3 h 12");
      expect((await home.read("reports/shop-7/report.md"))?.body).toBe("# Région perdue, 3 h 12");
    });

    test("a list has the names under a prefix, in order, and no others", async ({ expect }) => {
      const home = await open();
      for (const name of ["plans/shop.yaml", "plans/bank.yaml", "ledger/shop/head.json"]) await home.put(name, "-");
      expect(await home.list("plans/")).toEqual(["plans/bank.yaml", "plans/shop.yaml"]);
      expect(await home.list("nothing/")).toEqual([]);
    });

    test("a list longer than its bound is an error, never a part of the list", async ({ expect }) => {
      const home = await open();
      for (const name of ["a", "b", "c"]) await home.put(`runs/${name}`, "-");
      expect(await home.list("runs/", 3)).toHaveLength(3);
      await expect(home.list("runs/", 2)).rejects.toThrow("more than 2");
    });

    test("a body of more than 4 MiB is not written", async ({ expect }) => {
      const home = await open();
      await expect(home.put("large", "x".repeat(4 * 1024 * 1024 + 1))).rejects.toMatchObject({ name: "WorldError" });
      expect(await home.read("large")).toBeNull();
    });
  });
}
