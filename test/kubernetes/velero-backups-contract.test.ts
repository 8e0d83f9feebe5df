/** The double of Velero, held to the contract of backups that a real one keeps too (test/real/contracts.test.ts). */
import { describeVeleroBackupsContract } from "../contracts/velero-backups.ts";
import { veleroDouble } from "./velero-contract-speaker.ts";

describeVeleroBackupsContract("the lab's Velero", () => veleroDouble());
