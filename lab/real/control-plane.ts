/** The programs of a Kubernetes control plane and how each is started. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Credentials } from "./credentials.ts";
import type { RealPrograms } from "./programs.ts";

/** In the order in which they are started; each needs those before it. */
export const controlPlane = ["etcd", "api", "controllers", "scheduler", "kwok"] as const;
export type ControlProgram = (typeof controlPlane)[number];

export interface Ports {
  readonly api: number;
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly kwok: number;
}

export interface ControlPlaneOptions {
  readonly programs: RealPrograms;
  readonly credentials: Credentials;
  readonly ports: Ports;
  /** Of the administrator, for those who talk to the API server. */
  readonly kubeconfig: string;
  readonly auditLog?: string;
  readonly auditPolicy: string;
  /** KWOK's file of where commands in pods run. */
  readonly shells?: string;
}

export interface Launch {
  /** As its project calls it: in messages, and as the name of its log. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** How long a node counts as alive after KWOK's last word, seconds, as on AKS. */
const nodeLeaseSeconds = 40;
const stages = fileURLToPath(new URL("./stages.yaml", import.meta.url));
/** A loopback address cannot be advertised, and nobody asks for this one; from the range for documentation, RFC 5737. */
const advertised = "192.0.2.1";

/** What each program is started with. */
export function launches(options: ControlPlaneOptions): Readonly<Record<ControlProgram, Launch>> {
  const { programs, ports, kubeconfig, credentials, shells } = options;
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  // One of each runs, so nobody has to be elected; nobody asks them anything, so they need no port.
  const alone = [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--secure-port=0"];
  return {
    etcd: {
      name: "etcd",
      file: programs.etcd,
      args: [
        "--data-dir=etcd",
        // The machine may crash, and then the lab is gone anyway: not to wait for the disk makes everything quicker.
        "--unsafe-no-fsync",
        "--log-level=warn",
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
      ],
    },
    api: { name: "kube-apiserver", file: programs.apiServer, args: apiServerArgs(options, client) },
    controllers: {
      name: "kube-controller-manager",
      file: programs.controllerManager,
      args: [...alone, `--service-account-private-key-file=${credentials.files.serviceAccountKey}`, `--root-ca-file=${credentials.files.ca}`],
    },
    scheduler: { name: "kube-scheduler", file: programs.scheduler, args: alone },
    kwok: {
      name: "kwok",
      file: programs.kwok,
      args: [
        `--kubeconfig=${kubeconfig}`,
        `--config=${stages}`,
        "--manage-all-nodes=true",
        `--node-lease-duration-seconds=${nodeLeaseSeconds}`,
        "--node-ip=127.0.0.1",
        `--server-address=127.0.0.1:${ports.kwok}`,
        // The API server asks it for what runs in a pod, at that same port.
        `--node-port=${ports.kwok}`,
        `--tls-cert-file=${credentials.files.certificate}`,
        `--tls-private-key-file=${credentials.files.key}`,
        ...(shells === undefined ? [] : [`--config=${shells}`]),
      ],
    },
  };
}

function apiServerArgs({ credentials: { files }, ports, auditLog, auditPolicy }: ControlPlaneOptions, etcd: string): readonly string[] {
  const review = files.tokenReview;
  return [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    `--advertise-address=${advertised}`,
    `--secure-port=${ports.api}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    "--authorization-mode=Node,RBAC",
    "--allow-privileged",
    // Nodes have names that nobody can resolve.
    "--kubelet-preferred-address-types=InternalIP",
    // Pods get no token of their service account: no container runs that could use it.
    "--disable-admission-plugins=ServiceAccount",
    "--shutdown-delay-duration=0",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--token-auth-file=${files.tokens}`,
    ...(review === null ? [] : [`--authentication-token-webhook-config-file=${review}`, "--authentication-token-webhook-version=v1"]),
    ...(auditLog === undefined ? [] : [`--audit-log-path=${auditLog}`, `--audit-policy-file=${auditPolicy}`]),
  ];
}

/** Who asked for what, without the bodies, once each request is answered. */
export const auditPolicy = JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules: [{ level: "Metadata" }] });

/** A folder of this machine in which commands in a container run, as if its volume were mounted there. */
export interface Shell {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Absolute. */
  readonly folder: string;
}

/** KWOK's own kind for it: https://kwok.sigs.k8s.io/docs/user/kwok-controller/exec */
export const shellsConfig = (shells: readonly Shell[]): string =>
  shells
    .map(({ namespace, pod, container, folder }) => JSON.stringify({ apiVersion: "kwok.x-k8s.io/v1alpha1", kind: "Exec", metadata: { name: pod, namespace }, spec: { execs: [{ containers: [container], local: { workDir: folder, envs: [{ name: "PATH", value: process.env["PATH"] ?? "" }] } }] } }))
    .join("\n---\n");
