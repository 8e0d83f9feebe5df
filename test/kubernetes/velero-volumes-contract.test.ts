/** The double's volumes, held to the contract that a real Velero with its agents and Kopia keeps too (test/real/contracts.test.ts). */
import { describeVeleroVolumesContract } from "../contracts/velero-volumes.ts";
import { veleroDouble } from "./velero-contract-speaker.ts";

describeVeleroVolumesContract("the lab's Velero", () => veleroDouble({ rate: 30 }));
