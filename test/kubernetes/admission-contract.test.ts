/** The double's admission, held to the contract that a real API server keeps too (test/real/contracts.test.ts). */
import { describeAdmissionContract } from "../contracts/admission.ts";
import { labWorld, runningCluster, serve } from "./region.ts";

describeAdmissionContract("the lab's Kubernetes API", async () => {
  const world = labWorld();
  return { ...(await serve(world, runningCluster(world))), patienceMs: 5_000 };
});
