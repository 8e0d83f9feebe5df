/** The Kubernetes that the recorded backups came from, and that both clusters run. */
export const kubernetesVersion = { major: "1", minor: "34", gitVersion: "v1.34.4" } as const;
