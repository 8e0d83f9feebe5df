import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { rightsOnPage } from "../../lab/engine/rights.ts";
import { readOptions } from "../../lab/run/options.ts";
import { labPlan } from "../../lab/run/plans.ts";
import { givenRun, realPlan, realScenario } from "../../lab/run/real-run.ts";
import { scenarioNamed } from "../../lab/run/scenarios.ts";
import { readPlan } from "../../shared/domain/plan-file.ts";

describe("--real", () => {
  const read = (...args: string[]) => {
    let said = "";
    const hear = (text: string) => void (said += text);
    return { read: readOptions(args, { out: hear, err: hear }), said: () => said };
  };

  test("runs at the pace of the wall", () => {
    expect(read("--real").read).toMatchObject({ kind: "options", options: { real: true, rate: 1 } });
    expect(read("--real", "--rate", "1", "--scenario", "namespace-lost").read).toMatchObject({ kind: "options", options: { real: true, rate: 1 } });
    expect(read().read).toMatchObject({ options: { real: false, rate: 20 } });
  });

  test.each([
    [["--rate", "2"], "real programs live by the clock on the wall"],
    [["--scenario", "data-skipped"], "it begins with recorded backups"],
    [["--scenario", "region-cut-off"], "its region lives on while it is cut off"],
    [["--scenario", "backup-incomplete"], "with --real there are region-lost, namespace-lost, primary-blip"],
  ])("refuses %j and says why", (args, why) => {
    const { read: refused, said } = read("--real", ...args);
    expect(refused).toEqual({ kind: "over", code: 2 });
    expect(said()).toContain(why);
  });

  describe("on clusters that are given", () => {
    const both = ["--primary-kubeconfig", "west.yaml", "--secondary-kubeconfig", "north.yaml"];
    const connection = "AccountName=stgiven;AccountKey=bWFkZS11cA==";
    const readWith = (AZURE_STORAGE_CONNECTION_STRING: string | undefined, ...args: string[]) => {
      let said = "";
      const hear = (text: string) => void (said += text);
      return { read: readOptions(args, { out: hear, err: hear, environment: { AZURE_STORAGE_CONNECTION_STRING } }), said: () => said };
    };

    test("takes both, and the connection from the environment", () => {
      expect(readWith(connection, "--real", ...both).read).toMatchObject({ options: { real: true, given: { primary: "west.yaml", secondary: "north.yaml", storageConnection: connection } } });
      expect(readWith(connection, "--real").read).toMatchObject({ options: { given: null } });
    });

    test.each([
      [connection, both, "are for a real run: add --real"],
      [connection, ["--real", "--secondary-kubeconfig", "north.yaml"], "--primary-kubeconfig is missing: a failover needs two clusters"],
      [connection, ["--real", "--primary-kubeconfig", "west.yaml"], "--secondary-kubeconfig is missing"],
      [undefined, ["--real", ...both], "AZURE_STORAGE_CONNECTION_STRING is not set"],
      [" ", ["--real", ...both], "AZURE_STORAGE_CONNECTION_STRING is not set"],
    ])("refuses what is only half of it (%#)", (given, args, why) => {
      const { read: refused, said } = readWith(given, ...args);
      expect(refused).toEqual({ kind: "over", code: 2 });
      expect(said()).toContain(why);
    });

    test("asks for no more nodes than there are, and recovers in place from the lab's own location", () => {
      const cluster = { file: "", server: { url: "", caPem: "", token: null }, pools: new Map([["apps", 2], ["spot", 1]]) };
      const { aks, changePlan } = givenRun(() => Promise.reject(new Error("not opened here")), { clusters: { westeurope: cluster, northeurope: cluster } });
      expect(aks.pools.westeurope).toEqual([{ name: "apps", mode: "User", count: 2 }, { name: "spot", mode: "User", count: 1 }]);
      expect(aks.pools.northeurope).toEqual([{ name: "apps", mode: "User", count: 1 }, { name: "spot", mode: "User", count: 0 }]);
      const changed = changePlan("primary: {}\nsecondary: {pools: [{name: user, nodes: 9}]}\nconfirmation: {}\n");
      expect(changed).toContain("storageLocation: lifeboat-lab");
      expect((parse(changed) as { secondary: unknown }).secondary).toEqual({ pools: [{ name: "apps", nodes: 2 }, { name: "spot", nodes: 1 }] });
    });
  });

  test.each(["shop", "demo"] as const)("the plan %s with its short waits is a plan", async (name) => {
    for (const topology of ["shared", "replicated"] as const) {
      const read = readPlan(realPlan(await labPlan(name, topology, 8443)), (text) => text);
      expect(read).toMatchObject({ kind: "plan", plan: { confirmation: { soakSeconds: 4, everySeconds: 2 } } });
    }
  });

  test("every scenario makes its own backup and begins with empty containers", () => {
    expect(realScenario(scenarioNamed("namespace-lost"))).toMatchObject({ plan: "demo", freshBackup: true, seeding: { recorded: false } });
  });
});

describe("the page of rights", () => {
  test("has roles for each region, and no right to secrets or to delete what runs", async () => {
    const [there, here] = [await rightsOnPage("secondary"), await rightsOnPage("primary")];
    expect(there.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`)).toEqual(["ClusterRole /lifeboat", "Role kube-system/lifeboat", "Role velero/lifeboat"]);
    expect(here.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`)).toEqual(["ClusterRole /lifeboat", "Role shop/lifeboat", "Role velero/lifeboat", "ClusterRole /lifeboat-recovery", "Role velero/lifeboat-recovery"]);
    const rules = [...there, ...here].flatMap((role) => role["rules"] as readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[]);
    expect(rules.flatMap(({ resources = [] }) => resources)).not.toContain("secrets");
    expect(rules.filter(({ verbs }) => verbs.includes("delete")).flatMap(({ resources = [] }) => resources)).toEqual(["backups", "podvolumebackups", "backups", "podvolumebackups"]);
    expect(rules.flatMap(({ verbs, resources = [] }) => [...verbs, ...resources])).not.toContain("*");
  });
});
