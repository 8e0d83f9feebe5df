/** Judges who asks: an Entra token for storage, or the account's own key. */
import type http from "node:http";
import { accountKey } from "../../azurite.ts";
import { audiences, type Identity } from "../../world/identity.ts";
import type { Endpoint } from "../../world/storage.ts";
import { badKey, badToken, mayNotWrite, noAuthentication, type StorageRefusal } from "./refusals.ts";
import { isSignedWith } from "./shared-key.ts";
import type { StorageCall } from "./storage-call.ts";

/** `null`: may come in, and do what it came for. */
export async function refusedCaller(identity: Pick<Identity, "check">, call: StorageCall, endpoint: Endpoint, writes: boolean, headers: http.IncomingHttpHeaders): Promise<StorageRefusal | null> {
  const { authorization } = headers;
  if (authorization === undefined) return noAuthentication;
  if (authorization.startsWith("SharedKey ")) {
    const signed = { method: call.method, path: call.signedPath, query: call.query, headers };
    return isSignedWith(call.account, accountKey(call.account), signed, authorization) ? null : badKey;
  }
  const verdict = await identity.check(authorization, audiences.storage);
  if (verdict.kind === "refused") return badToken(verdict.why);
  // The observer is Blob Data Reader on the regions' accounts; what it finds out, it may note at home.
  return verdict.caller === "observer" && writes && endpoint.region !== null ? mayNotWrite : null;
}
