import { describe, test } from "vitest";
import { quantityOf } from "../../shared/domain/quantity.ts";
import { demandOf } from "../../shared/domain/resource-demand.ts";

test.for([
  ["500m", 0.5],
  ["2", 2],
  [3, 3],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["128M", 128e6],
  ["1e3", 1_000],
  ["2E", 2e18],
  [".5", 0.5],
  ["100n", 1e-7],
  ["", null],
  ["5 Gi", null],
  ["1Xi", null],
  [undefined, null],
] as const)("the quantity %s is %s", ([text, amount], { expect }) => {
  if (amount === null) expect(quantityOf(text)).toBeNull();
  else expect(quantityOf(text)).toBeCloseTo(amount, 12);
});

describe("what a pod would take of a quota", () => {
  const container = (cpu: string | null, more = {}) => ({ ...more, resources: cpu === null ? {} : { requests: { cpu, memory: "64Mi" }, limits: { cpu: "1", memory: "128Mi" } } });

  test("is the sum of its containers, or the largest that only begins, and what the pod itself costs", ({ expect }) => {
    expect(demandOf("Pod", { spec: { containers: [container("100m"), container("200m")] } })).toMatchObject({ "requests.memory": 128 * 2 ** 20, "limits.cpu": 2 });
    expect(demandOf("Pod", { spec: { containers: [container("100m")], initContainers: [container("700m"), container("50m")], overhead: { cpu: "10m" } } })["requests.cpu"]).toBeCloseTo(0.71);
    expect(demandOf("Pod", { spec: { containers: [container("100m")], initContainers: [container("700m", { restartPolicy: "Always" })] } })["requests.cpu"]).toBeCloseTo(0.8);
  });

  test("is its limit where it asks for nothing, and not known where it says neither", ({ expect }) => {
    expect(demandOf("Pod", { spec: { containers: [{ resources: { limits: { cpu: "2" } } }] } })).toEqual({ "requests.cpu": 2, "limits.cpu": 2, "requests.memory": null, "limits.memory": null });
    expect(demandOf("Pod", { spec: { containers: [container("1"), container(null)] } })["requests.cpu"]).toBeNull();
  });

  test("is nothing when it has ended, and a claim takes storage", ({ expect }) => {
    expect(demandOf("Pod", { spec: { containers: [container("1")] }, status: { phase: "Succeeded" } })).toEqual({});
    expect(demandOf("PersistentVolumeClaim", { spec: { resources: { requests: { storage: "8Gi" } } } })).toEqual({ "requests.storage": 8 * 2 ** 30 });
    expect(demandOf("Deployment", { spec: { template: { spec: { containers: [container("1")] } } } })).toEqual({});
  });
});
