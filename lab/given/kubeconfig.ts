/** The API server that a kubeconfig leads to, and the way to sign in there: token, certificate or a plugin as `kubelogin`. */
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import type { ApiServer } from "../real/api.ts";
import { GivenRefused } from "./given.ts";

/** How long a plugin may take. One that waits for a person says so where nobody sees it. */
const signInMsMax = 60_000;

/** Reads the file and signs in if a plugin must. Throws a `GivenRefused`. */
export async function serverIn(file: string, patienceMs = signInMsMax): Promise<ApiServer> {
  const config = new KubeConfig();
  const options: RequestOptions = {};
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new GivenRefused(`${file} cannot be read as a kubeconfig: ${reasonOf(error)}; give a file as \`az aks get-credentials --file\` writes it`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || cluster === undefined) throw new GivenRefused(`${file} says of no cluster that it is the one to use: set its context, \`kubectl config use-context NAME --kubeconfig ${file}\``);
  if (!cluster.server.startsWith("https://") || cluster.skipTLSVerify) throw new GivenRefused(`${file} leads to ${cluster.server} without checking its certificate: the lab would write tokens to whoever answers; give a kubeconfig with the cluster's CA`);
  try {
    await within(patienceMs, config.applyToHTTPSOptions(options));
  } catch (error) {
    throw new GivenRefused(`${file}: nobody could be signed in at ${cluster.server}: ${reasonOf(error)}; try \`kubectl --kubeconfig ${file} get nodes\``);
  }
  const { origin, pathname } = new URL(cluster.server);
  if (pathname !== "/") throw new GivenRefused(`${file} leads to ${cluster.server}, below a path of a proxy: the lab speaks to API servers themselves; give a kubeconfig with the cluster's own address`);
  const [ca, cert, key] = [options.ca, options.cert, options.key].map(pemOf);
  if (ca == null) throw new GivenRefused(`${file} has no certificate authority for ${cluster.server}: give a kubeconfig with certificate-authority-data`);
  const authorization = headerOf(options, "Authorization");
  const token = authorization === null ? null : authorization.replace(/^Bearer /, "");
  return { url: origin, caPem: ca, token, ...(cert == null || key == null ? {} : { client: { cert, key } }) };
}

async function within<T>(waitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer of the sign-in within ${waitMs / 1_000} s; if it asks for a person, sign in there first`)), waitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const pemOf = (value: unknown): string | null => (Buffer.isBuffer(value) ? value.toString("utf8") : typeof value === "string" ? value : null);

function headerOf({ headers = {} }: RequestOptions, name: string): string | null {
  const value = Array.isArray(headers) ? undefined : (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : null;
}

/** The first line: a YAML parser shows the text around, and there are keys in it. */
const reasonOf = (error: unknown): string => (error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error));
