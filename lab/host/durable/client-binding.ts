import type { DurableClientBinding } from "../contract.ts";

/** Where a host's durable API is, and what its URLs carry. */
export interface ClientAddress {
  /** `http://127.0.0.1:PORT`. */
  readonly baseUrl: string;
  readonly taskHub: string;
  /** Null: URLs carry no key. */
  readonly code: string | null;
}

/** The path of the webhook API. */
export const webhookPath = "/runtime/webhooks/durabletask";
/** The path that the client library uses for its own calls; only on loopback, without a key. */
export const rpcPath = "/durabletask";

/** The value of a `durableClient` input binding. The client fills INSTANCEID and the names in braces in by itself. */
export function clientBinding(address: ClientAddress): DurableClientBinding {
  const base = `${address.baseUrl}${webhookPath}`;
  const query = queryOf(address);
  const creation = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  const code = address.code === null ? "" : `code=${address.code}`;
  return {
    taskHubName: address.taskHub,
    creationUrls: {
      createNewInstancePostUri: `${creation}?${code}`,
      createAndWaitOnNewInstancePostUri: `${creation}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    managementUrls: managementUrls("INSTANCEID", base, query),
    baseUrl: base,
    requiredQueryStringParameters: code,
    rpcBaseUrl: `${address.baseUrl}${rpcPath}/`,
  };
}

/** What a start answers: the id and where the instance can be asked, told and ended. */
export function managementPayload(instanceId: string, address: ClientAddress): Record<string, string> {
  return managementUrls(instanceId, `${address.baseUrl}${webhookPath}`, queryOf(address));
}

function managementUrls(id: string, base: string, query: string): Record<string, string> {
  const instance = `${base}/instances/${id}`;
  return {
    id,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

function queryOf({ taskHub, code }: ClientAddress): string {
  return `taskHub=${taskHub}&connection=Storage${code === null ? "" : `&code=${code}`}`;
}
