/** What all ARM clients share. */
import type { HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";

export interface Arm {
  readonly credential: TokenCredential;
  readonly transport: HttpClient;
  /** How long each call may take. */
  readonly deadlineSeconds: number;
}

/**
 * Options of every ARM client. It never retries by itself: whoever called decides when to ask again, and a Retry-After longer than our
 * deadline would otherwise be slept through and lost.
 */
export const armOptions = ({ transport }: Arm) => ({
  httpClient: transport,
  retryOptions: { maxRetries: 0 },
  userAgentOptions: { userAgentPrefix: "lifeboat" },
});

/** Clients are made for a subscription, once each, at the first call. */
export function perSubscription<Client>(make: (subscription: string) => Client): (subscription: string) => Client {
  const made = new Map<string, Client>();
  return (subscription) => {
    const client = made.get(subscription) ?? make(subscription);
    made.set(subscription, client);
    return client;
  };
}
