/** Answers an API server that asks whose a bearer token is (TokenReview, authentication.k8s.io/v1), as Entra's webhook does on AKS. */
import { text } from "node:stream/consumers";
import { openAuthority } from "../faces/certificates.ts";
import { listen } from "../faces/listen.ts";

export interface Reviewed {
  /** What RBAC knows the caller by; on AKS the object id. */
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface TokenReviewer {
  /** For `RealClusterOptions.tokenReview`. */
  readonly url: string;
  readonly caPem: string;
  close(): Promise<void>;
}

/** `review`: whose the token is, or why it is nobody's. An API server keeps a yes for two minutes. */
export async function openTokenReviewer(review: (token: string) => Promise<Reviewed | { readonly refused: string }>): Promise<TokenReviewer> {
  const authority = await openAuthority();
  const listener = await listen({ tls: await authority.issue(["localhost"], ["127.0.0.1"]) }, (request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    void (async () => {
      const { apiVersion, kind, spec } = JSON.parse(await text(request)) as { readonly apiVersion: string; readonly kind: string; readonly spec: { readonly token: string } };
      answer(200, { apiVersion, kind, status: statusOf(await review(spec.token)) });
    })().catch((error: unknown) => answer(500, { message: String(error) }));
  });
  return { url: `${listener.url}/review`, caPem: authority.caPem, close: () => listener.close() };
}

function statusOf(reviewed: Reviewed | { readonly refused: string }): object {
  if ("refused" in reviewed) return { authenticated: false, error: reviewed.refused };
  return { authenticated: true, user: { username: reviewed.user, uid: reviewed.user, groups: reviewed.groups ?? [] } };
}
