/** All storage accounts of the lab over HTTP, asked with the app's own identity under their own host names. */
import { startStorage } from "../../lab/storage.ts";
import { blobHost } from "../../lab/world/pair.ts";
import { openBlobService } from "../../shared/azure/blob-service.ts";
import { openTransport } from "../../shared/azure/transport.ts";
import { type ArmStageOptions, openArmStage } from "./arm-stage.ts";

export const blobUrl = (account: string) => `https://${blobHost(account)}`;

export async function openStorageStage(options: ArmStageOptions = {}) {
  const stage = await openArmStage(options);
  const started = await startStorage(stage.world, { accounts: stage.accounts, identity: stage.identity });
  const hosts = { ...stage.hosts, ...started.hosts };
  const transport = openTransport(hosts);
  let containers = 0;
  const blobService = openBlobService(stage.arm.credential, transport, 10);
  return {
    ...stage,
    ...started,
    hosts,
    arm: { ...stage.arm, transport },
    blobService,
    /** A new, empty container; its name. */
    async container(account: string) {
      const container = `container-${(containers += 1)}`;
      await blobService.at(blobUrl(account)).createContainer(container);
      return container;
    },
    async close() {
      await started.close();
      await stage.close();
    },
  };
}

export type StorageStage = Awaited<ReturnType<typeof openStorageStage>>;
