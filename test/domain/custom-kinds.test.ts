import { describe, expect, test } from "vitest";
import type { Contents, CustomKind } from "../../shared/domain/contents.ts";
import { unknownKinds } from "../../shared/domain/custom-kinds.ts";
import { examplePlan } from "./example-plans.ts";

const share = (...kinds: string[]) => ({ objects: kinds.length, kinds: Object.fromEntries(kinds.map((kind) => [kind, 1])), images: [], storageClasses: [] });
const contents = (kinds: readonly string[], customKinds: readonly CustomKind[] = []): Contents => ({
  objects: 1,
  namespaces: { shop: share(...kinds), other: share("elsewhere.example.com/v1/Thing") },
  cluster: share(),
  consumers: [],
  claims: [],
  dataUploads: [],
  customKinds,
  cut: [],
});
const promotion = (...versions: string[]): CustomKind => ({ name: "promotions.shop.example.com", group: "shop.example.com", kind: "Promotion", versions });
const plan = examplePlan("shop-replicated");
const withoutDefinitions = { ...plan, applications: plan.applications.map((application) => ({ ...application, clusterResources: [] })) };

describe("kinds that a target must know", () => {
  const held = "shop.example.com/v1/Promotion";
  const cases: [string, readonly string[]][] = [
    ["Kubernetes' own kinds need nobody to teach them", unknownKinds(contents(["v1/Pod", "apps/v1/Deployment", "networking.k8s.io/v1/Ingress", "discovery.k8s.io/v1/EndpointSlice"]), plan, [])],
    ["one that the cluster knows", unknownKinds(contents([held]), withoutDefinitions, [promotion("v1")])],
    ["one that the backup brings along, and the plan restores", unknownKinds(contents([held], [promotion("v1")]), plan, [])],
  ];
  test.each(cases)("%s", (_, found) => expect(found).toEqual([]));

  test("one that nobody knows is named, with the remedy", () => {
    expect(unknownKinds(contents([held]), plan, [])).toEqual([expect.stringContaining("does not know the kind Promotion of shop.example.com: install it there")]);
  });

  test("one in the backup is no help where the plan leaves definitions out", () => {
    expect(unknownKinds(contents([held], [promotion("v1")]), withoutDefinitions, [])).toHaveLength(1);
  });

  test("one that is served in another version only is named with both", () => {
    expect(unknownKinds(contents([held]), plan, [promotion("v2")])).toEqual([expect.stringMatching(/as v2, and the backup holds v1/)]);
  });
});
