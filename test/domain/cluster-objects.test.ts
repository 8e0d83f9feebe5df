import { describe, expect, test } from "vitest";
import { backupState, claimBound, moverState, nodeState, readiness, repositoryState, restoreState, storageLocationState } from "../../shared/domain/cluster-objects.ts";

describe("what is absent reads as the API means it", () => {
  test("a workload: one replica wanted, none ready", () => {
    expect(readiness({}, "Deployment")).toEqual({ ready: 0, wanted: 1 });
    expect(readiness({ spec: { replicas: 3 }, status: { readyReplicas: 2 } }, "StatefulSet")).toEqual({ ready: 2, wanted: 3 });
    expect(readiness({ status: { numberReady: 1, desiredNumberScheduled: 2 } }, "DaemonSet")).toEqual({ ready: 1, wanted: 2 });
  });

  test("a node: not Ready", () => {
    expect(nodeState({ metadata: {} })).toEqual({ ready: false, pool: "", zone: "" });
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    expect(nodeState({ metadata: { labels: { agentpool: "user", "topology.kubernetes.io/zone": "westeurope-2" } }, status: ready })).toEqual({ ready: true, pool: "user", zone: "westeurope-2" });
    expect(nodeState({ metadata: { labels: { "kubernetes.azure.com/agentpool": "user" } }, status: ready })).toEqual({ ready: true, pool: "user", zone: "" });
    expect(nodeState({ metadata: {}, spec: { unschedulable: true }, status: ready }).ready).toBe(false);
    expect(nodeState({ metadata: {}, status: { conditions: [{ type: "Ready", status: "Unknown" }] } }).ready).toBe(false);
  });

  test("a storage location: unavailable, and writable", () => {
    expect(storageLocationState({ spec: {} })).toEqual({ available: false, readOnly: false, message: "", lastSyncedAt: null });
    expect(storageLocationState({ spec: { accessMode: "ReadOnly" }, status: { phase: "Available", lastSyncedTime: "2026-11-21T06:05:00Z" } })).toMatchObject({ available: true, readOnly: true, lastSyncedAt: Date.parse("2026-11-21T06:05:00Z") });
  });

  test("a repository: not ready", () => {
    expect(repositoryState({ spec: { volumeNamespace: "shop", backupStorageLocation: "replica" } })).toEqual({ namespace: "shop", storageLocation: "replica", ready: false, message: "" });
    expect(repositoryState({ spec: {}, status: { phase: "Ready" } }).ready).toBe(true);
    expect(repositoryState({ spec: {}, status: { phase: "NotReady", message: "re-establish on BSL change" } })).toMatchObject({ ready: false, message: "re-establish on BSL change" });
  });

  test("a restore, a mover, a backup, a claim: not begun", () => {
    expect(restoreState({})).toEqual({ phase: "", errors: 0, warnings: 0, failureReason: "", validationErrors: [], itemsRestored: 0, totalItems: 0 });
    expect(moverState({ metadata: { name: "m" } })).toEqual({ name: "m", phase: "", message: "", bytesDone: 0 });
    expect(backupState({})).toEqual({ phase: "", completedAt: null, why: "" });
    expect(claimBound({})).toBe(false);
    expect(claimBound({ status: { phase: "Pending" } })).toBe(false);
    expect(claimBound({ status: { phase: "Bound" } })).toBe(true);
  });

  test("a backup that failed says why, by whichever field Velero used", () => {
    expect(backupState({ status: { phase: "Failed", failureReason: "disk" } }).why).toBe("disk");
    expect(backupState({ status: { phase: "FailedValidation", validationErrors: ["no location", "no bucket"] } }).why).toBe("no location; no bucket");
    expect(backupState({ status: { phase: "Completed", completionTimestamp: "2026-11-21T06:05:00Z" } }).completedAt).toBe(Date.parse("2026-11-21T06:05:00Z"));
  });
});
