import type { BlobServiceClient } from "@azure/storage-blob";
import type { Hosts } from "../../shared/azure/transport.ts";
import type { Settings } from "./settings.ts";

/** After this much wall time a silent account counts as unreadable. */
export const deadlineSeconds = 15;

/**
 * The blob service behind a binding's `connection`, found as the real host finds it: `NAME` (or `AzureWebJobsNAME`) is a connection
 * string with an account key; else `NAME__blobServiceUri`, `NAME__serviceUri` or `NAME__accountName` with a managed identity
 * (`NAME__clientId` names a user-assigned one). Listed hosts are reached at their other addresses. The SDKs are loaded at the first call.
 */
export async function blobServiceFor(connection: string, settings: Settings, hosts: Hosts): Promise<BlobServiceClient> {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import("@azure/storage-blob");
  const { openBlobService } = await import("../../shared/azure/blob-service.ts");
  const { openTransport } = await import("../../shared/azure/transport.ts");
  for (const name of [`AzureWebJobs${connection}`, connection]) {
    const connectionString = settings[name];
    if (connectionString) {
      const { url, credential } = BlobServiceClient.fromConnectionString(connectionString);
      if (!(credential instanceof StorageSharedKeyCredential)) throw new Error(`the connection string ${name} holds no account key: give one, or use ${name}__blobServiceUri`);
      return openBlobService(credential, openTransport(hosts), deadlineSeconds).at(url);
    }
    const uri = settings[`${name}__blobServiceUri`] ?? settings[`${name}__serviceUri`] ?? accountUri(settings[`${name}__accountName`]);
    if (!uri) continue;
    const { ManagedIdentityCredential } = await import("@azure/identity");
    const clientId = settings[`${name}__clientId`];
    const identity = clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
    return openBlobService(identity, openTransport(hosts), deadlineSeconds).at(uri);
  }
  throw new Error(`the connection "${connection}" is not set: give ${connection} a connection string, or ${connection}__blobServiceUri the account's blob address`);
}

function accountUri(accountName: string | undefined): string | undefined {
  return accountName && `https://${accountName}.blob.core.windows.net`;
}
