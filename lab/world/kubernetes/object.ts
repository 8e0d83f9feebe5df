/** A Kubernetes object as it lies in a cluster's store and on the wire: plain JSON. */

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Who owns which fields, by whom and how they were written last. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: "Update" | "Apply";
  readonly apiVersion: string;
  readonly time: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: Readonly<Record<string, unknown>>;
  readonly subresource?: string;
}

export interface Metadata {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFields[];
}

/** Objects in the store are frozen. Who wants one changed asks the store, which hands out a draft. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

/** An instant as Kubernetes writes it: RFC 3339, whole seconds, UTC. */
export const timestamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** Whether a value is a JSON object: neither an array nor null. */
export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Makes a value and all it holds unchangeable, so that a mistake is heard where it is made. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** Equality of JSON values. The order of keys does not count; an absent key and one that is undefined are the same. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((part, at) => sameJson(part, b[at]));
  if (!isRecord(a) || !isRecord(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => sameJson(a[key], b[key]));
}
