/** A cluster's objects in memory, as the ingress reads them: the shop and the demo, up unless a test changes them. */
import type { ClusterObject, ClusterObjects } from "../../lab/world/cluster-objects.ts";

export interface MemoryCluster extends ClusterObjects {
  put(path: string, object: ClusterObject): void;
  /** Removes one object, or all whose path begins so. */
  remove(path: string): void;
  readonly volumes: Map<string, Readonly<Record<string, string>>>;
}

export function memoryCluster(objects: Readonly<Record<string, ClusterObject>>, volumes: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): MemoryCluster {
  const store = new Map(Object.entries(objects));
  const files = new Map(Object.entries(volumes));
  return {
    volumes: files,
    put: (path, object) => void store.set(path, object),
    remove: (path) => [...store.keys()].filter((key) => key.startsWith(path)).forEach((key) => store.delete(key)),
    get: (apiVersion, plural, namespace, name) => store.get(`${apiVersion}/${plural}/${namespace}/${name}`) ?? null,
    list: (apiVersion, plural, namespace) => [...store].filter(([key]) => key.startsWith(`${apiVersion}/${plural}/${namespace === "" ? "" : `${namespace}/`}`)).map(([, object]) => object),
    volumeFiles: (namespace, claim) => files.get(`${namespace}/${claim}`) ?? null,
  };
}

export const readyPod = (namespace: string, name: string, app: string, ready = "True"): ClusterObject => ({
  metadata: { name, namespace, labels: { app } },
  status: { conditions: [{ type: "Ready", status: ready }] },
});

const deployment = (namespace: string, name: string, replicas: number, spec: object): ClusterObject => ({
  metadata: { name, namespace },
  spec: { replicas, template: { metadata: { labels: { app: name } }, spec } },
});

export const shop = (banner = "Last day"): Record<string, ClusterObject> => ({
  "v1/configmaps/shop/storefront": { data: { banner, currency: "EUR", region: "westeurope" } },
  "apps/v1/deployments/shop/order-mailer": deployment("shop", "order-mailer", 1, { containers: [{ name: "mailer" }] }),
  "apps/v1/deployments/shop/storefront": deployment("shop", "storefront", 5, { containers: [{ name: "web", envFrom: [{ configMapRef: { name: "storefront" } }] }] }),
  "v1/services/shop/storefront": { spec: { selector: { app: "storefront" } } },
  "networking.k8s.io/v1/ingresses/shop/storefront": {
    metadata: { name: "storefront", namespace: "shop" },
    spec: { rules: [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "storefront", port: { number: 80 } } } }] } }] },
  },
  "apps/v1/statefulsets/shop/orders": { spec: { volumeClaimTemplates: [{ metadata: { name: "data" } }] } },
  "v1/pods/shop/orders-0": readyPod("shop", "orders-0", "orders"),
  "v1/pods/shop/storefront-a": readyPod("shop", "storefront-a", "storefront"),
  "v1/pods/shop/storefront-b": readyPod("shop", "storefront-b", "storefront"),
  "v1/pods/shop/storefront-c": readyPod("shop", "storefront-c", "storefront", "False"),
  "v1/pods/shop/storefront-d": { ...readyPod("shop", "storefront-d", "storefront"), metadata: { name: "storefront-d", namespace: "shop", labels: { app: "storefront" }, deletionTimestamp: "2026-11-21T06:00:00Z" } },
});

export const shopVolume = { "shop/data-orders-0": { "orders.txt": "order 1\norder 2\norder 3\n" } };

export const demo = (): Record<string, ClusterObject> => ({
  "v1/configmaps/disaster-demo/page": { data: { "index.html": "<h1>still here</h1>" } },
  "apps/v1/deployments/disaster-demo/nginx": deployment("disaster-demo", "nginx", 2, { containers: [{ name: "nginx" }], volumes: [{ name: "page", configMap: { name: "page" } }] }),
  "v1/services/disaster-demo/nginx": { spec: { selector: { app: "nginx" } } },
  "v1/pods/disaster-demo/nginx-a": readyPod("disaster-demo", "nginx-a", "nginx"),
});
