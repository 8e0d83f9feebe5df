/** How every Azure client reaches its service: directly, or with listed hosts at other addresses. */
import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline";

/** Host name → base address: `management.azure.com` → `http://127.0.0.1:4321`. Empty: every host is where DNS says. */
export type Hosts = Readonly<Record<string, string>>;

/**
 * An HTTP client that sends requests for listed hosts to their other addresses and names the original host in `x-forwarded-host`;
 * all other requests go where they would go. To the client above nothing has changed: it signs, polls and reports the original URL.
 */
export function openTransport(hosts: Hosts): HttpClient {
  const inner = createDefaultHttpClient();
  if (Object.keys(hosts).length === 0) return inner;
  return {
    async sendRequest(request) {
      const target = retarget(request.url, hosts);
      if (target === null) return inner.sendRequest(request);
      const { url, agent, allowInsecureConnection } = request;
      request.url = target.url;
      request.allowInsecureConnection = true;
      // The proxy policy ran before and may have attached a proxy's agent for the original host.
      delete request.agent;
      request.headers.set("x-forwarded-host", target.originalHost);
      try {
        return await inner.sendRequest(request);
      } finally {
        // Pollers read the URL back from the request; left changed, their last GET would refuse to carry a token over http.
        request.url = url;
        if (agent !== undefined) request.agent = agent;
        if (allowInsecureConnection === undefined) delete request.allowInsecureConnection;
        else request.allowInsecureConnection = allowInsecureConnection;
      }
    },
  };
}

/** Where a URL of a listed host really goes; `null`: the host is not listed. Path and query are kept as they are. */
export function retarget(url: string, hosts: Hosts): { readonly url: string; readonly originalHost: string } | null {
  const original = new URL(url);
  const base = hosts[original.hostname];
  if (base === undefined) return null;
  return { url: `${base.replace(/\/$/, "")}${original.pathname}${original.search}`, originalHost: original.host };
}
