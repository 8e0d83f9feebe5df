/** A storage account in an Azurite of its own, opened with its made-up key: for adapters that need nothing but blobs. */
import { StorageSharedKeyCredential } from "@azure/storage-blob";
import { accountKey, startAzurite } from "../../lab/azurite.ts";
import { type BlobService, openBlobService } from "../../shared/azure/blob-service.ts";
import { openTransport } from "../../shared/azure/transport.ts";

export interface AzuriteAccount {
  readonly blobService: BlobService;
  readonly url: string;
  /** A new, empty container; its name. */
  container(): Promise<string>;
  close(): Promise<void>;
}

export async function openAzuriteAccount(): Promise<AzuriteAccount> {
  const name = "sttest";
  const azurite = await startAzurite({ accounts: [name] });
  const url = `${azurite.url}/${name}`;
  const blobService = openBlobService(new StorageSharedKeyCredential(name, accountKey(name)), openTransport({}), 30);
  let containers = 0;
  return {
    blobService,
    url,
    async container() {
      const container = `container-${(containers += 1)}`;
      await blobService.at(url).createContainer(container);
      return container;
    },
    close: () => azurite.close(),
  };
}
