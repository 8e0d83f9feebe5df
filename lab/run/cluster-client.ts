/** The operator's hand on a cluster: the Kubernetes API over HTTPS with a token, as kubectl would. */
import https from "node:https";
import type { LabPair } from "../pair-in-a-box.ts";
import type { RegionName } from "../world/pair.ts";

export interface ClusterClient {
  request(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<{ readonly status: number; readonly object: Record<string, unknown> }>;
}

export function clusterClient(pair: LabPair, region: RegionName): ClusterClient {
  const server = new URL(pair.apiUrl(region));
  return {
    async request(method, path, body) {
      const token = await pair.engines[region].operatorToken();
      const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      return new Promise((resolve, reject) => {
        const request = https.request(
          { host: server.hostname, port: server.port, path, method, ca: pair.caPem, servername: "localhost", headers: { authorization: `Bearer ${token}`, "content-type": contentType, accept: "application/json" }, timeout: 10_000 },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => resolve({ status: response.statusCode ?? 0, object: JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown> }));
          },
        );
        request.on("error", reject);
        request.end(body === undefined ? undefined : JSON.stringify(body));
      });
    },
  };
}
