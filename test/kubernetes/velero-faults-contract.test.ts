/** The double of Velero in trouble, held to the contract that a real one keeps too (test/real/contracts.test.ts). */
import { describeVeleroFaultsContract } from "../contracts/velero-faults.ts";
import { veleroDouble } from "./velero-contract-speaker.ts";

// So slow that a restore can be caught in its middle.
describeVeleroFaultsContract("the lab's Velero", () => veleroDouble({ latencies: { veleroRestoreItem: 100 } }));
