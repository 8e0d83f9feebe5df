/** One request to a cluster's API server: its own CA, an Entra token, kept-alive connections, a deadline. Built on @kubernetes/client-node. */
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { KubeConfig } from "@kubernetes/client-node";
import { withDeadline } from "../deadline.ts";
import { wordsOf } from "../foreign-words.ts";

export interface ClusterAddress {
  /** `https://aks-shop-neu.hcp.northeurope.azmk8s.io:443` */
  readonly server: string;
  /** PEM of the certificate authority that signed the server's certificate. */
  readonly ca: string;
}

export interface ApiOptions extends ClusterAddress {
  /** A bearer token for the API server. Asked before each request; whoever gives it caches it. */
  readonly token: () => Promise<string>;
  /** Where the server is really reached, when not under its own name; its name stays the one in the certificate check. */
  readonly connectTo?: string | undefined;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path and query, `/api/v1/nodes?limit=500`. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Without a token: to learn whether anything answers when none can be had. */
  readonly anonymous?: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

export type ApiCall = (request: ApiRequest, timeoutSeconds: number) => Promise<ApiAnswer>;

/** Opens the way to one API server. An answer of any status is returned; what is thrown is that there was none. */
export function openApi({ server, ca, token, connectTo }: ApiOptions): ApiCall {
  const base = (connectTo ?? server).replace(/\/$/, "");
  const { hostname } = new URL(server);
  // TLS names no server by its address; without a name the certificate is held against the address that is connected to.
  const agent = base.startsWith("https:") ? new https.Agent({ keepAlive: true, ca, servername: isIP(hostname) === 0 ? hostname : "" }) : new http.Agent({ keepAlive: true });
  let config: Promise<KubeConfig> | undefined;

  return async ({ method, path, body, contentType, anonymous = false }, timeoutSeconds) => {
    // By far the heaviest import of the app: paid by the first call to a cluster, not at start, and not out of that call's time,
    // or a healthy cluster would seem silent.
    const { HttpMethod, IsomorphicFetchHttpLibrary, RequestContext } = await import("@kubernetes/client-node");
    return withDeadline(timeoutSeconds, async (signal) => {
      const context = new RequestContext(`${base}${path}`, HttpMethod[method]);
      context.setHeaderParam("Accept", "application/json");
      // Its first part is the manager that the API writes beside every field we set.
      context.setHeaderParam("User-Agent", "lifeboat");
      if (body !== undefined) {
        context.setBody(JSON.stringify(body));
        context.setHeaderParam("Content-Type", contentType ?? "application/json");
      }
      if (!anonymous) {
        config ??= openConfig(server, ca, token);
        await (await config).applySecurityAuthentication(context);
      }
      // The client would open a connection for each call.
      context.setAgent(agent);
      context.setSignal(signal);
      const answer = await new IsomorphicFetchHttpLibrary().send(context).toPromise();
      return { status: answer.httpStatusCode, body: await answer.body.text(), header: (name) => answer.headers[name.toLowerCase()] };
    });
  };
}

const user = "lifeboat";

/** A kubeconfig with one cluster and one user, whose authenticator asks for a token at every request: tokens renew themselves. */
async function openConfig(server: string, ca: string, token: ApiOptions["token"]): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => authProvider?.name === "entra",
    async applyAuthentication(_user, options) {
      options.headers = { ...options.headers, Authorization: `Bearer ${await tokenOr(token)}` };
    },
  });
  config.loadFromOptions({
    clusters: [{ name: "aks", server, caData: Buffer.from(ca).toString("base64"), skipTLSVerify: false }],
    users: [{ name: user, authProvider: { name: "entra", config: {} } }],
    contexts: [{ name: "aks", cluster: "aks", user }],
    currentContext: "aks",
  });
  return config;
}

/** No token could be had, so the API server was not asked at all. */
export class NoToken extends Error {
  override readonly name = "NoToken";
}

async function tokenOr(token: ApiOptions["token"]): Promise<string> {
  try {
    return await token();
  } catch (error) {
    throw new NoToken(`no token for the API server: ${wordsOf(error)}`);
  }
}
