import { afterAll, beforeAll, describe, test } from "vitest";
import { type ClusterSpeaker, eventually, patiently, type Seen, type Wire, wireTo } from "./cluster-speaker.ts";

export interface WorkloadSpeaker extends ClusterSpeaker {
  /** All machines stop to say that they live; resolves at once, however long the cluster takes to notice. */
  silenceNodes(): Promise<void>;
  /** They speak again. */
  wakeNodes(): Promise<void>;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const conditionOf = ({ status }: Seen, type: string) => (status?.["conditions"] as readonly Condition[] | undefined)?.find((one) => one.type === type);
const usedOf = ({ status }: Seen, resource: string) => (status?.["used"] as Readonly<Record<string, string>> | undefined)?.[resource];
const taintsOf = ({ spec }: Seen) => ((spec?.["taints"] ?? []) as readonly { readonly key: string; readonly effect: string }[]).map(({ key, effect }) => `${key}:${effect}`).toSorted();
const container = (cpu?: string) => ({ name: "page", image: "page:1", ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) });

/** Pods, volumes, quotas and nodes, as the app looks at them before and after a restore. */
export function describeWorkloadsContract(name: string, open: () => Promise<WorkloadSpeaker>): void {
  describe(`${name} keeps the contract of workloads`, () => {
    let speaker: WorkloadSpeaker;
    let wire: Wire;
    beforeAll(async () => {
      speaker = await open();
      wire = wireTo(speaker);
    });
    afterAll(async () => speaker?.close());
    const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;
    const deployments = (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const until = (what: string, path: string, is: (object: Seen) => boolean) =>
      eventually(what, speaker.patienceMs, async () => {
        const object = await wire.get(path);
        return is(object) ? object : null;
      }, async () => (await wire.get(path)).status);
    const deploy = (namespace: string, replicas: number, cpu = "10m") =>
      wire.create(deployments(namespace), { metadata: { name: "web" }, spec: { replicas, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [container(cpu)] } } } });

    test("a deployment's pods run, and its status says so for the generation that was asked for", async ({ expect }) => {
      const namespace = await wire.namespace();
      await deploy(namespace, 2);
      const ready = await until("two ready pods", `${deployments(namespace)}/web`, ({ status }) => status?.["readyReplicas"] === 2);
      expect(ready.status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
      expect(conditionOf(ready, "Available")).toMatchObject({ status: "True", reason: "MinimumReplicasAvailable" });
      const [pod] = await wire.list(pods(namespace));
      expect(pod).toMatchObject({ status: { phase: "Running" }, spec: { nodeName: expect.stringMatching(/./) as string } });
      for (const type of ["Ready", "ContainersReady", "Initialized", "PodScheduled"]) expect(pod && conditionOf(pod, type)?.status).toBe("True");
      await wire.patch(`${deployments(namespace)}/web`, { spec: { replicas: 0 } });
      const none = await until("no pods", `${deployments(namespace)}/web`, ({ status }) => status?.["observedGeneration"] === 2 && (status["replicas"] ?? 0) === 0);
      expect(none.status?.["readyReplicas"] ?? 0).toBe(0);
    });

    test("a quota counts, refuses what is over it, and says so on the deployment", async ({ expect }) => {
      const namespace = await wire.namespace();
      const quota = `/api/v1/namespaces/${namespace}/resourcequotas/small`;
      // What comes while a quota is just being made known is counted minutes later.
      await eventually("the CA bundle", speaker.patienceMs, async () => ((await wire.ask("GET", `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`)).status === 200 ? true : null));
      await wire.create(`/api/v1/namespaces/${namespace}/resourcequotas`, { metadata: { name: "small" }, spec: { hard: { pods: "1", "requests.cpu": "500m", "count/configmaps": "2" } } });
      await until("the count", quota, (one) => usedOf(one, "count/configmaps") === "1");
      const send = (body: unknown, path = pods(namespace)) => wire.ask("POST", path, { body });
      expect(await send({ metadata: { name: "silent" }, spec: { containers: [container()] } })).toMatchObject({ status: 403, body: { reason: "Forbidden", message: 'pods "silent" is forbidden: failed quota: small: must specify requests.cpu for: page', details: { name: "silent", kind: "pods" } } });
      expect(await send({ metadata: { name: "hungry" }, spec: { containers: [container("600m")] } })).toMatchObject({ status: 403, body: { message: 'pods "hungry" is forbidden: exceeded quota: small, requested: requests.cpu=600m, used: requests.cpu=0, limited: requests.cpu=500m' } });
      expect((await send({ metadata: { name: "one" }, spec: { containers: [container("200m")] } })).status).toBe(201);
      expect(await send({ metadata: { name: "two" }, spec: { containers: [container("200m")] } })).toMatchObject({ status: 403, body: { message: 'pods "two" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1' } });
      const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
      expect((await send({ metadata: { name: "a" } }, configMaps)).status).toBe(201);
      expect(await send({ metadata: { name: "b" } }, configMaps)).toMatchObject({ status: 403, body: { message: 'configmaps "b" is forbidden: exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=2, limited: count/configmaps=2' } });
      const full = await until("the count of all", quota, (one) => usedOf(one, "pods") === "1" && usedOf(one, "count/configmaps") === "2");
      expect(full.status).toEqual({ hard: { pods: "1", "requests.cpu": "500m", "count/configmaps": "2" }, used: { pods: "1", "requests.cpu": "200m", "count/configmaps": "2" } });
      await deploy(namespace, 1);
      const stuck = await until("the refusal", `${deployments(namespace)}/web`, (object) => conditionOf(object, "ReplicaFailure") !== undefined);
      expect(conditionOf(stuck, "ReplicaFailure")).toMatchObject({ status: "True", reason: "FailedCreate", message: expect.stringMatching(/^pods "web-[a-z0-9]+-[a-z0-9]+" is forbidden: exceeded quota: small, /) as string });
      expect(stuck.status?.["unavailableReplicas"]).toBe(1);
      expect((await wire.ask("DELETE", `${pods(namespace)}/one`)).status).toBe(200);
      await until("room", quota, (one) => usedOf(one, "pods") === "0" || usedOf(one, "requests.cpu") === "10m");
    });

    test("a claim waits for its first pod, is bound to a new volume, and both go with it", async ({ expect }) => {
      const namespace = await wire.namespace();
      const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
      await wire.create(claims, { metadata: { name: "data" }, spec: { storageClassName: "managed-csi", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } });
      const waiting = await until("its wait", `${claims}/data`, ({ status }) => status?.["phase"] === "Pending");
      expect(waiting.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
      expect(waiting.spec).not.toHaveProperty("volumeName");
      const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
      await wire.create(pods(namespace), { metadata: { name: "db" }, spec: { containers: [container("10m")], volumes } });
      const bound = await until("its volume", `${claims}/data`, ({ status }) => status?.["phase"] === "Bound");
      expect(bound).toMatchObject({ spec: { volumeName: `pvc-${bound.metadata.uid}` }, status: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } }, metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": expect.stringMatching(/./) as string, "volume.kubernetes.io/storage-provisioner": "disk.csi.azure.com" } } });
      const path = `/api/v1/persistentvolumes/pvc-${bound.metadata.uid}`;
      const volume = await until("its binding", path, ({ status }) => status?.["phase"] === "Bound");
      expect(volume).toMatchObject({ spec: { claimRef: { namespace, name: "data", uid: bound.metadata.uid }, storageClassName: "managed-csi", persistentVolumeReclaimPolicy: "Delete", capacity: { storage: "1Gi" }, csi: { driver: "disk.csi.azure.com" } } });
      await until("the pod", `${pods(namespace)}/db`, (pod) => conditionOf(pod, "Ready")?.status === "True");
      // In use: the claim waits with its end.
      await wire.ask("DELETE", `${claims}/data`);
      expect((await wire.get(`${claims}/data`)).metadata.deletionTimestamp).toMatch(/Z$/);
      await wire.ask("DELETE", `${pods(namespace)}/db`);
      for (const gone of [`${claims}/data`, path]) await eventually(`the end of ${gone}`, speaker.patienceMs, async () => ((await wire.ask("GET", gone)).status === 404 ? true : null));
    });

    test("a pod whose claim or storage class is missing stays Pending, and says why", async ({ expect }) => {
      const namespace = await wire.namespace();
      const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
      await wire.create(claims, { metadata: { name: "odd" }, spec: { storageClassName: "no-such-class", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } });
      for (const claimName of ["odd", "none"]) await wire.create(pods(namespace), { metadata: { name: claimName }, spec: { containers: [container("10m")], volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] } });
      const odd = await until("its complaint", `${pods(namespace)}/odd`, (pod) => conditionOf(pod, "PodScheduled")?.reason === "Unschedulable");
      expect(odd.status?.["phase"]).toBe("Pending");
      expect(conditionOf(odd, "PodScheduled")).toMatchObject({ status: "False", message: expect.stringMatching(/^0\/\d+ nodes are available: pod has unbound immediate PersistentVolumeClaims\. not found/) as string });
      const none = await until("its complaint", `${pods(namespace)}/none`, (pod) => conditionOf(pod, "PodScheduled")?.reason === "Unschedulable");
      expect(conditionOf(none, "PodScheduled")?.message).toMatch(/^0\/\d+ nodes are available: persistentvolumeclaim "none" not found\. not found/);
      expect((await wire.get(`${claims}/odd`)).status?.["phase"]).toBe("Pending");
    });

    test("a pod that asks for more than any node has stays Pending, and says why", async ({ expect }) => {
      const namespace = await wire.namespace();
      await wire.create(pods(namespace), { metadata: { name: "huge" }, spec: { containers: [container("1000")] } });
      const huge = await until("its complaint", `${pods(namespace)}/huge`, (pod) => conditionOf(pod, "PodScheduled")?.reason === "Unschedulable");
      expect(conditionOf(huge, "PodScheduled")?.message).toMatch(/^0\/\d+ nodes are available: .*\d+ Insufficient cpu/);
    });

    test("nodes that fall silent are Unknown, their pods not ready, and after their patience deleted; new ones wait", patiently, async ({ expect }) => {
      const namespace = await wire.namespace();
      await deploy(namespace, 1);
      const tolerations = [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 }];
      await wire.create(pods(namespace), { metadata: { name: "hasty" }, spec: { containers: [container("10m")], tolerations } });
      await until("the deployment", `${deployments(namespace)}/web`, ({ status }) => status?.["readyReplicas"] === 1);
      const hasty = await until("the pod", `${pods(namespace)}/hasty`, (pod) => conditionOf(pod, "Ready")?.status === "True");
      const node = `/api/v1/nodes/${String(hasty.spec?.["nodeName"])}`;
      expect(conditionOf(await wire.get(node), "Ready")).toMatchObject({ status: "True", reason: "KubeletReady" });
      await speaker.silenceNodes();
      const silent = await until("the node", node, (one) => conditionOf(one, "Ready")?.status !== "True");
      expect(conditionOf(silent, "Ready")).toMatchObject({ status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." });
      const tainted = await until("its taints", node, (one) => taintsOf(one).length >= 2);
      expect(taintsOf(tainted)).toEqual(["node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"]);
      const down = await until("the deployment", `${deployments(namespace)}/web`, ({ status }) => (status?.["readyReplicas"] ?? 0) === 0);
      expect(down.status).toMatchObject({ replicas: 1, unavailableReplicas: 1 });
      const [pod] = (await wire.list(pods(namespace))).filter(({ metadata }) => metadata.name.startsWith("web-"));
      expect(pod && [pod.status?.["phase"], conditionOf(pod, "Ready")?.status, conditionOf(pod, "ContainersReady")?.status, pod.metadata.deletionTimestamp]).toEqual(["Running", "False", "True", undefined]);
      // Nobody is there to end it: it stays as one that ends.
      await until("the hasty one", `${pods(namespace)}/hasty`, ({ metadata }) => metadata.deletionTimestamp !== undefined);
      await wire.create(pods(namespace), { metadata: { name: "late" }, spec: { containers: [container("10m")] } });
      const late = await until("its complaint", `${pods(namespace)}/late`, (one) => conditionOf(one, "PodScheduled")?.reason === "Unschedulable");
      expect(conditionOf(late, "PodScheduled")?.message).toMatch(/^0\/\d+ nodes are available: \d+ node\(s\) had untolerated taint\(s\)/);
      await speaker.wakeNodes();
      const awake = await until("the node", node, (one) => conditionOf(one, "Ready")?.status === "True" && taintsOf(one).length === 0);
      expect(conditionOf(awake, "Ready")?.reason).toBe("KubeletReady");
      // That a pod which was there is ready again says a kubelet; KWOK, which plays it, never does.
      await eventually("the end of the hasty one", speaker.patienceMs, async () => ((await wire.ask("GET", `${pods(namespace)}/hasty`)).status === 404 ? true : null));
      await until("the late one", `${pods(namespace)}/late`, (one) => conditionOf(one, "Ready")?.status === "True");
    });
  });
}
