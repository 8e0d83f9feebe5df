/** The double's pods, volumes, quotas and nodes, held to the contract that real ones keep too (test/real/contracts.test.ts). */
import { describeWorkloadsContract } from "../contracts/workloads.ts";
import { labWorld, openMachines, runningCluster, serve, threeMachines } from "./region.ts";

describeWorkloadsContract("the lab's cluster", async () => {
  const world = labWorld();
  // As in a cluster without a pool that is for system pods only.
  const own = threeMachines.filter(({ pool }) => pool === "user");
  const machines = openMachines(own);
  const cluster = runningCluster(world, machines);
  const { kubeConfig, close } = await serve(world, cluster);
  const speak = (ready: boolean) => Promise.resolve(machines.set(own.map((machine) => ({ ...machine, ready }))));
  return { kubeConfig, patienceMs: 5_000, close, silenceNodes: () => speak(false), wakeNodes: () => speak(true) };
});
