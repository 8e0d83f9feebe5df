/** Looking from outside as a client would: names through DNS, pages over HTTPS with the certificate checked. */
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { withDeadline } from "../deadline.ts";
import { wordsOf } from "../foreign-words.ts";
import type { ProbeAnswer, Probes } from "../ports.ts";
import { openNameServers } from "./name-servers.ts";

export interface ProbeOptions {
  /** Name servers to ask, `address` or `address:port`; empty: the system's. */
  readonly dnsServers: readonly string[];
  /** PEM certificates to trust beside the public ones; without it Node's own settings hold, NODE_EXTRA_CA_CERTS among them. */
  readonly trustedCa?: string | undefined;
}

const bodyBytesMax = 1024 * 1024;
const resolveSeconds = 5;

export function openProbes({ dnsServers, trustedCa }: ProbeOptions): Probes {
  const nameServers = openNameServers(dnsServers);
  const ca = trustedCa === undefined ? undefined : [...rootCertificates, trustedCa];

  return {
    async get(url, { timeoutSeconds, connectTo }) {
      const target = new URL(url);
      const askedAt = performance.now();
      const durationMs = () => Math.round(performance.now() - askedAt);
      try {
        return await withDeadline(timeoutSeconds, async (signal): Promise<ProbeAnswer> => {
          const host = connectTo ?? target.hostname;
          const found = await nameServers.resolve(host, timeoutSeconds);
          const [address] = found.kind === "resolved" ? found.addresses : [];
          if (address === undefined) return { kind: "no-answer", why: `${host} has no address`, durationMs: durationMs() };
          const { status, body } = await ask(target, address, ca, signal);
          return { kind: "answered", status, body, durationMs: durationMs() };
        });
      } catch (error) {
        return { kind: "no-answer", why: wordsOf(error), durationMs: durationMs(), ...(isUntrusted(error) ? { untrusted: true } : {}) };
      }
    },
    resolve: (name) => nameServers.resolve(name, resolveSeconds),
  };
}

/** What Node calls a certificate that it does not take (tls, "X509 certificate error codes"; tls.checkServerIdentity for the name). */
const untrustedCodes = /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|ERR_TLS_CERT_)/;

const isUntrusted = (error: unknown): boolean => error instanceof Error && "code" in error && typeof error.code === "string" && untrustedCodes.test(error.code);

/** One GET, redirects not followed, on a connection of its own: an old connection would hide that new ones fail. */
function ask(target: URL, address: string, ca: readonly string[] | undefined, signal: AbortSignal): Promise<{ status: number; body: string }> {
  const secure = target.protocol === "https:";
  const options: https.RequestOptions = {
    host: address,
    port: target.port || (secure ? 443 : 80),
    path: `${target.pathname}${target.search}`,
    headers: { host: target.host, "user-agent": "lifeboat-probe", accept: "*/*" },
    agent: false,
    signal,
    // The name that is checked is the URL's, whichever address is asked. TLS has no names that are addresses.
    ...(secure ? { servername: isIP(target.hostname) === 0 ? target.hostname : "", ...(ca === undefined ? {} : { ca: [...ca] }) } : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(options, (response) => {
      bodyOf(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.once("error", reject);
    request.end();
  });
}

/** At most the first MiB: what a check looks for is in it, and a page may be endless. */
async function bodyOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bodyBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString("utf8");
}
