/** Kubernetes quantities: `500m`, `1.5Gi`, `1e3` (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */

const suffixes: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 };

/** A quantity in its base unit (cores, bytes, pieces); `null`: it is none. */
export function quantityOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string") return null;
  const [, digits, suffix = ""] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(value) ?? [];
  const times = suffixes[suffix];
  return digits === undefined || times === undefined ? null : Number(digits) * times;
}
