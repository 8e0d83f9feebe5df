/** What a quiet day leaves behind, and how a pair is laid out with it. `../quiet-day.ts` plays the day. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../../shared/domain/canonical-json.ts";
import { kinds } from "../../../shared/domain/kinds.ts";
import type { Plan } from "../../../shared/domain/plan.ts";
import type { KubeObject } from "../../../shared/ports.ts";
import type { SimulatedPair } from "./pair.ts";

export interface QuietDay {
  /** Of the plan that it was played with. */
  readonly planHash: string;
  /** Blobs at home, by name; the plan's own file is not among them. */
  readonly blobs: readonly (readonly [name: string, body: string])[];
  /** Backups and volume copies as the secondary's cluster knows them. */
  readonly view: readonly KubeObject[];
  /** The blobs as they are for other plans. */
  readonly laidFor: Map<Plan, QuietDay["blobs"]>;
}

/** Kinds of which a verification may make objects in the secondary's cluster. */
export const viewed = [kinds.backups, kinds.podVolumeBackups] as const;

/** Lays a pair out as the quiet day leaves it, for this plan. */
export function layQuietDay({ home, clusters }: SimulatedPair, { planHash, blobs, view, laidFor }: QuietDay, plan: Plan): void {
  const laid = laidFor.get(plan) ?? evidenceFor(blobs, planHash, hashOf(plan));
  laidFor.set(plan, laid);
  for (const [name, body] of laid) home.put(name, body);
  const { objects } = clusters.northeurope;
  for (const kind of viewed) {
    for (const { metadata } of objects.list(kind, "velero") ?? []) objects.delete(kind, "velero", metadata.name);
    for (const object of view) if (`${object.kind.toLowerCase()}s` === kind.plural) objects.create(kind, object);
  }
}

/** Evidence names the plan by its hash, and the register names each manifest, which does so too, by its own. */
function evidenceFor(blobs: QuietDay["blobs"], planHash: string, hash: string): QuietDay["blobs"] {
  const renamed = blobs.map(([name, body]) => [name, body.replaceAll(planHash, hash)] as const);
  const digests = new Map(renamed.filter(([name]) => name.endsWith("/manifest.json")).map(([, body]) => {
    const { manifest, sha256: before } = JSON.parse(body) as { readonly manifest: unknown; readonly sha256: string };
    return [before, hashOf(manifest)] as const;
  }));
  return renamed.map(([name, body]) => [name, body.replaceAll(/[0-9a-f]{64}/g, (digest) => digests.get(digest) ?? digest)] as const);
}

/** As the app's verification hashes plans and manifests. */
export const hashOf = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex");
