/** How the blob service says no, in its own codes. Texts are those of "Common REST API error codes" where it has one. */
import { randomUUID } from "node:crypto";
import type { Answer } from "../answer.ts";

export interface StorageRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function refusalAnswer({ status, code, message, headers = {} }: StorageRefusal): Answer {
  const requestId = randomUUID();
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${escapeXml(message)}\nRequestId:${requestId}</Message></Error>`;
  return { status, headers: { "content-type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": requestId, ...headers }, body };
}

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export const noSuchAccount = (account: string): StorageRefusal => ({ status: 404, code: "ResourceNotFound", message: `The specified resource does not exist: no storage account answers as ${account}.` });

/** The challenge tells a client where tokens for storage come from. */
export const noAuthentication: StorageRefusal = {
  status: 401,
  code: "NoAuthenticationInformation",
  message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  headers: { "www-authenticate": "Bearer authorization_uri=https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com" },
};
export const badToken = (why: string): StorageRefusal => ({ ...noAuthentication, code: "InvalidAuthenticationInfo", message: `Authentication information is not given in the correct format or is not valid: ${why}.` });
export const badKey: StorageRefusal = { status: 403, code: "AuthenticationFailed", message: "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature." };

export const mayNotWrite: StorageRefusal = { status: 403, code: "AuthorizationPermissionMismatch", message: "This request is not authorized to perform this operation using this permission." };

export const secondaryReadsOnly: StorageRefusal = { status: 403, code: "InsufficientAccountPermissions", message: "Write operations to the secondary location are not allowed." };
/** Microsoft documents the status and no code: whoever decides by the code decides by a guess. */
export const lockedByReplication: StorageRefusal = {
  status: 409,
  code: "BlobOperationNotSupported",
  message: "The operation is not supported in this scenario: the container is the destination of an object replication policy.",
};
export const notSeen: StorageRefusal = { status: 403, code: "AuthorizationFailure", message: "This request is not authorized to perform this operation." };
export const statsOnPrimary: StorageRefusal = { status: 400, code: "InvalidQueryParameterValue", message: "Value for one of the query parameters specified in the request URI is invalid: statistics are served by the secondary endpoint." };
export const dateConditions: StorageRefusal = { status: 400, code: "ConditionHeadersNotSupported", message: "Condition headers are not supported: the lab's storage takes conditions on ETags, not on dates." };
/** Nobody is left to read this. */
export const brokenOff: StorageRefusal = { status: 400, code: "IncompleteBody", message: "The client left in the middle of the request body." };
export const notPlayed = (what: string): StorageRefusal => ({ status: 501, code: "NotImplemented", message: `The lab's storage does not play this operation: ${what}.` });
