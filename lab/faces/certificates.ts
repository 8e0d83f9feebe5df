/** The lab's own certificate authority, made anew for each run: whoever is to trust a server of the lab is given its certificate. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export interface Authority {
  readonly caPem: string;
  /** A server certificate and its key, both PEM, good for these names and addresses. */
  issue(hostNames: readonly string[], ipAddresses?: readonly string[]): Promise<{ readonly key: string; readonly cert: string }>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** TLS is checked against the machine's clock, whatever the lab's says, and some machines' clocks are far off. */
const validity = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2099-12-31T00:00:00Z") };

export async function openAuthority(): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = "CN=Lifeboat lab";
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name,
      keys,
      signingAlgorithm: algorithm,
      ...validity,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)],
    },
    webcrypto,
  );
  return {
    caPem: ca.toString("pem"),
    async issue(hostNames, ipAddresses = []) {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const names: x509.JsonGeneralNames = [...hostNames.map((value) => ({ type: "dns" as const, value })), ...ipAddresses.map((value) => ({ type: "ip" as const, value }))];
      const certificate = await x509.X509CertificateGenerator.create(
        {
          subject: `CN=${hostNames[0] ?? ipAddresses[0] ?? "lab"}`,
          issuer: name,
          publicKey: own.publicKey,
          signingKey: keys.privateKey,
          signingAlgorithm: algorithm,
          ...validity,
          extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
            new x509.SubjectAlternativeNameExtension(names),
          ],
        },
        webcrypto,
      );
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", own.privateKey)).toString("base64");
      return { key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`, cert: certificate.toString("pem") };
    },
  };
}
