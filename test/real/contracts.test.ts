/** The contracts of Kubernetes and Velero, run against the real ones: what the doubles of the lab are held to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { type RealCluster, startRealCluster } from "../../lab/real/cluster.ts";
import { openCluster } from "../../shared/kubernetes/cluster.ts";
import { describeAdmissionContract } from "../contracts/admission.ts";
import { clusterContract } from "../contracts/clusters.ts";
import { wireTo } from "../contracts/cluster-speaker.ts";
import { describeKubernetesContract } from "../contracts/kubernetes.ts";
import { describeVeleroBackupsContract } from "../contracts/velero-backups.ts";
import { describeVeleroFaultsContract } from "../contracts/velero-faults.ts";
import { describeVeleroRestoresContract } from "../contracts/velero-restores.ts";
import { describeVeleroVolumesContract } from "../contracts/velero-volumes.ts";
import { describeWorkloadsContract } from "../contracts/workloads.ts";
import { kubernetesOf, type RealVelero, veleroOn, workloadsOf } from "./real-speakers.ts";

const programs = inject("realPrograms");

describe.skipIf(programs === null)("a real region", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lifeboat-real-"));
  let cluster: RealCluster;
  let velero: RealVelero;

  beforeAll(async () => {
    if (programs === null) return;
    cluster = await startRealCluster({ programs, directory, region: "northeurope", nodes: ["aks-user-20261121-vmss000000", "aks-user-20261121-vmss000001"] });
    velero = await veleroOn(cluster);
  });
  afterAll(async () => {
    await cluster?.close();
    await velero?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  describeVeleroRestoresContract("a real Velero", () => Promise.resolve(velero.speaker));
  describeVeleroBackupsContract("a real Velero", () => Promise.resolve(velero.speaker));
  describeVeleroVolumesContract("a real Velero", () => Promise.resolve(velero.speaker));
  describeVeleroFaultsContract("a real Velero", () => Promise.resolve(velero.speaker));
  clusterContract("the app's own way to a real API server", async () => ({
    cluster: openCluster("northeurope", { server: cluster.url, ca: cluster.caPem, token: () => Promise.resolve(cluster.adminToken), deadlineSeconds: 10 }),
    namespace: await wireTo(kubernetesOf(cluster)).namespace(),
  }));
  describeAdmissionContract("a real API server", () => Promise.resolve(kubernetesOf(cluster)));
  // Late: for a while all nodes are silent.
  describeWorkloadsContract("a real cluster", () => Promise.resolve(workloadsOf(cluster)));
  // Last: it restarts the API server.
  describeKubernetesContract("a real API server", () => Promise.resolve(kubernetesOf(cluster)));
});
