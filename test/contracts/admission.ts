import { afterAll, beforeAll, describe, test } from "vitest";
import { webhooksOf } from "../../functions/activities/see-state.ts";
import { judges } from "../../shared/domain/admission.ts";
import { gatherContents, storedOf } from "../../shared/domain/contents.ts";
import type { Kind } from "../../shared/domain/kinds.ts";
import type { KubeObject } from "../../shared/ports.ts";
import { type ClusterSpeaker, eventually, type Wire, wireTo } from "./cluster-speaker.ts";

const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const webhook = "configmaps.policies.example.com";

/** What an API server does with an admission webhook that must answer and has nobody who does, and what the app makes of what it sees of that. */
export function describeAdmissionContract(name: string, open: () => Promise<ClusterSpeaker>): void {
  describe(`${name} keeps the contract of admission`, () => {
    let speaker: ClusterSpeaker;
    let wire: Wire;
    beforeAll(async () => {
      speaker = await open();
      wire = wireTo(speaker);
    });
    afterAll(async () => speaker?.close());

    let number = 0;
    const put = async (namespace: string, kind: "configmaps" | "secrets") => wire.ask("POST", `/api/v1/namespaces/${namespace}/${kind}`, { body: { metadata: { name: `put-${++number}` } } });
    const list = async ({ apiVersion, plural }: Kind, namespace: string | null, selector = "") =>
      (await wire.list(`${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}${namespace === null ? "" : `/namespaces/${namespace}`}/${plural}?labelSelector=${encodeURIComponent(selector)}`)) as unknown as readonly KubeObject[];
    const seen = async (configuration: string) => (await webhooksOf({ list })).filter(({ name }) => name.includes(configuration));

    test("what a webhook should judge is refused while nobody answers for it, and nothing else; the app sees beforehand what that is", async ({ expect }) => {
      const [shop, other] = [await wire.namespace(), await wire.namespace()];
      const configuration = `policies-${shop}`;
      const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };
      const namespaceSelector = { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: [shop] }] };
      await wire.create(configurations, { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", metadata: { name: configuration }, webhooks: [{ name: webhook, clientConfig: { service: { namespace: shop, name: "nobody" } }, rules: [rule], namespaceSelector, sideEffects: "None", admissionReviewVersions: ["v1"] }] });
      try {
        // An API server hears of its webhooks a moment later.
        const refused = await eventually("a refusal", speaker.patienceMs, async () => {
          const answer = await put(shop, "configmaps");
          return answer.status === 201 ? null : answer;
        });
        expect(refused).toMatchObject({ status: 500, body: { kind: "Status", status: "Failure", reason: "InternalError", code: 500, message: expect.stringContaining(`failed calling webhook "${webhook}"`) as string } });
        expect(refused.text).toContain('service \\"nobody\\" not found');
        expect([(await put(other, "configmaps")).status, (await put(shop, "secrets")).status]).toEqual([201, 201]);

        const gathered = gatherContents([]);
        for (const namespace of [shop, other]) gathered.add(storedOf({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "settings" } }) as NonNullable<ReturnType<typeof storedOf>>);
        const told = await seen(configuration);
        expect(told.map(({ name, answered }) => [name, answered])).toEqual([[`ValidatingWebhookConfiguration ${configuration}: ${webhook}`, false]]);
        expect(told.map((one) => [judges(one, gathered.contents(), [shop]), judges(one, gathered.contents(), [other])])).toEqual([[true, false]]);

        const before = await wire.get(`${configurations}/${configuration}`);
        await wire.patch(`${configurations}/${configuration}`, { webhooks: (before["webhooks"] as readonly object[]).map((one) => ({ ...one, failurePolicy: "Ignore" })) });
        await eventually("a pass", speaker.patienceMs, async () => ((await put(shop, "configmaps")).status === 201 ? true : null));
        expect(await seen(configuration)).toEqual([]);
      } finally {
        await wire.ask("DELETE", `${configurations}/${configuration}`);
      }
    });
  });
}
