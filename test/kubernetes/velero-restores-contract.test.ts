/** The double of Velero, held to the contract of restores that a real one keeps too (test/real/contracts.test.ts). */
import { describeVeleroRestoresContract } from "../contracts/velero-restores.ts";
import { veleroDouble } from "./velero-contract-speaker.ts";

describeVeleroRestoresContract("the lab's Velero", () => veleroDouble());
