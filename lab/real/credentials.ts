/** What the programs of a cluster prove themselves to each other with: made anew for each cluster, kept in its directory. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openAuthority } from "../faces/certificates.ts";

export interface CredentialsOptions {
  readonly directory: string;
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
  readonly tokenReview?: { readonly url: string; readonly caPem: string };
}

export interface Credentials {
  readonly caPem: string;
  /** May do everything. */
  readonly adminToken: string;
  readonly files: {
    readonly ca: string;
    readonly certificate: string;
    readonly key: string;
    /** Signs and checks the tokens of service accounts. */
    readonly serviceAccountKey: string;
    readonly serviceAccountPublicKey: string;
    /** The one token that the API server knows by itself. */
    readonly tokens: string;
    /** Whom it asks about all others; `null`: nobody. */
    readonly tokenReview: string | null;
  };
}

/** The first address of the services' range, where pods would look for the API server. */
const serviceAddress = "10.96.0.1";

/** Writes them below `directory/pki`, readable by their owner alone. */
export async function writeCredentials({ directory, hosts, addresses, tokenReview }: CredentialsOptions): Promise<Credentials> {
  const folder = path.join(directory, "pki");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const authority = await openAuthority();
  const { cert, key } = await authority.issue(["localhost", ...hosts], ["127.0.0.1", serviceAddress, ...addresses]);
  const serviceAccounts = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } });
  const adminToken = randomBytes(24).toString("base64url");
  return {
    caPem: authority.caPem,
    adminToken,
    files: {
      ca: write("ca.crt", authority.caPem),
      certificate: write("api.crt", cert),
      key: write("api.key", key),
      serviceAccountKey: write("sa.key", serviceAccounts.privateKey),
      serviceAccountPublicKey: write("sa.pub", serviceAccounts.publicKey),
      // Token, user, its id, its groups.
      tokens: write("tokens.csv", `${adminToken},admin,admin,"system:masters"\n`),
      tokenReview: tokenReview === undefined ? null : write("token-review.yaml", kubeconfig({ name: "token-review", url: tokenReview.url, caPem: tokenReview.caPem })),
    },
  };
}

/** YAML, as JSON is. Without a token: the way to a server that asks for none. */
export function kubeconfig({ name, url, caPem, token }: { readonly name: string; readonly url: string; readonly caPem: string; readonly token?: string }): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: url, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: "admin", user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: "admin" } }],
    "current-context": name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
