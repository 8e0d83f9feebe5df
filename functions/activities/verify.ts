import { claimBound, moverState, readiness } from "../../shared/domain/cluster-objects.ts";
import { kinds } from "../../shared/domain/kinds.ts";
import { broughtBy, namesOfPart, restoreNames } from "../../shared/domain/restore-run.ts";
import type { Assertion } from "../../shared/domain/plan.ts";
import type { steps } from "../../orchestrations/steps.ts";
import type { Duty, Work } from "./perform.ts";
import { withProof } from "../../shared/domain/register.ts";
import { readPoint } from "./chosen-point.ts";
import { mergeIntoRegister, readRegister } from "./register.ts";

/** What was seen of one check; `ok` false is worth another look, as things come up. */
interface Seen {
  readonly check: string;
  readonly ok: boolean;
  readonly saw: string;
}

/** How long one answer of the application may take. */
const timeoutSeconds = 5;

/** All the plan's assertions of these applications, and whether all that was restored is up, side by side, through the region's own ingress under the public name. Only looks. */
export const verifyApplications: Work<typeof steps.verifyApplications> = async ({ applications, point }, duty) => {
  const namespaces = new Set(duty.plan.applications.filter(({ name }) => applications.includes(name)).flatMap((application) => application.namespaces));
  const due = duty.plan.assertions.filter((assertion) => assertion.kind === "http" || namespaces.has(assertion.namespace));
  const seen = await Promise.all([...due.map((assertion) => check(assertion, point.name, duty)), ...[...namespaces].flatMap((namespace) => [up(namespace, duty), census(namespace, point.name, duty)])]);
  const failing = seen.filter(({ ok }) => !ok);
  if (failing.length > 0) return { kind: "not-yet", about: failing.map(({ check, saw }) => `${check}: ${saw}`).join("; ") };
  // Nothing proves a restore point as a restore does: whoever reads the register may know.
  const { world, plan } = duty;
  await mergeIntoRegister(world.home, plan, withProof(await readRegister(world.home, plan.plan), point.name, { rung: "asserted", at: world.clock.now() }), world.clock.now());
  return { kind: "done", value: { checks: seen.map(({ check, saw }) => ({ check, saw })) } };
};

async function check(assertion: Assertion, point: string, duty: Duty): Promise<Seen> {
  switch (assertion.kind) {
    case "http":
      return asked(assertion, duty);
    case "workload":
      return running(assertion, duty);
    case "volume":
      return restored(assertion, point, duty);
  }
}

async function asked({ path, status, contains }: Extract<Assertion, { kind: "http" }>, { world, plan, target }: Duty): Promise<Seen> {
  const url = new URL(path, plan.traffic.publicUrl).href;
  const answer = await world.probes.get(url, { timeoutSeconds, connectTo: new URL(target.ingress).hostname });
  const check = `GET ${url} at ${new URL(target.ingress).hostname}`;
  if (answer.kind === "no-answer") return { check, ok: false, saw: answer.why };
  if (answer.status !== status) return { check, ok: false, saw: `status ${answer.status}, not ${status}` };
  if (contains !== undefined && !answer.body.includes(contains)) return { check, ok: false, saw: `the answer does not hold "${contains}"` };
  return { check, ok: true, saw: `status ${answer.status}${contains === undefined ? "" : `, holds "${contains}"`}` };
}

const workloadKinds = { Deployment: kinds.deployments, StatefulSet: kinds.statefulSets, DaemonSet: kinds.daemonSets } as const;

async function running({ namespace, name, workload }: Extract<Assertion, { kind: "workload" }>, { world, target }: Duty): Promise<Seen> {
  const check = `${workload} ${namespace}/${name}`;
  const object = await (await world.clusters.of(target.cluster)).get(workloadKinds[workload], namespace, name);
  if (object === null) return { check, ok: false, saw: "it is not there" };
  const { ready, wanted } = readiness(object, workload);
  return { check, ok: ready >= wanted && wanted > 0, saw: `${ready} of ${wanted} replicas ready` };
}

/** Bound, and filled by a data mover of this run from the very snapshot that the backup names: a claim alone binds to an empty disk. */
async function restored({ namespace, claim }: Extract<Assertion, { kind: "volume" }>, point: string, { world, plan, target, call }: Duty): Promise<Seen> {
  const check = `volume ${namespace}/${claim}`;
  const cluster = await world.clusters.of(target.cluster);
  const application = plan.applications.find(({ namespaces }) => namespaces.includes(namespace));
  const selector = broughtBy(namesOfPart(call.ref.runId, application?.name ?? "", "main"));
  const [object, restores, downloads, record] = await Promise.all([
    cluster.get(kinds.persistentVolumeClaims, namespace, claim),
    cluster.list(kinds.podVolumeRestores, target.veleroNamespace, selector),
    cluster.list(kinds.dataDownloads, target.veleroNamespace, selector),
    readPoint(world.home, call.ref, point),
  ]);
  if (object === null) return { check, ok: false, saw: "there is no such claim" };
  if (!claimBound(object)) return { check, ok: false, saw: "it is not bound" };
  const volume = record.volumes.find((known) => known.namespace === namespace && known.claim === claim);
  if (volume === undefined || volume.snapshot === null) return { check, ok: false, saw: `the restore point ${point} holds no data of it` };
  const movers = [...(restores ?? []), ...(downloads ?? [])].filter((candidate) => (candidate["spec"] as { snapshotID?: string } | undefined)?.snapshotID === volume.snapshot);
  // Where Velero's server ended in the middle, the first was cancelled and another one brought it.
  const mover = movers.find((candidate) => moverState(candidate).phase === "Completed") ?? movers[0];
  if (mover === undefined) return { check, ok: false, saw: `nothing restored snapshot ${volume.snapshot} into it` };
  const { phase } = moverState(mover);
  return { check, ok: phase === "Completed", saw: `bound; snapshot ${volume.snapshot} of ${point} restored: ${phase}` };
}

/** Everything that this run restored into a namespace is up, asserted or not. Held consumers came by a restore of their own and are not asked. */
async function up(namespace: string, { world, plan, target, call }: Duty): Promise<Seen> {
  const check = `workloads in ${namespace}`;
  const cluster = await world.clusters.of(target.cluster);
  const restores = plan.applications.filter(({ namespaces }) => namespaces.includes(namespace)).flatMap(({ name }) => namesOfPart(call.ref.runId, name, "main"));
  const found = await Promise.all(
    (["Deployment", "StatefulSet", "DaemonSet"] as const).map(async (workload) => {
      const objects = (await cluster.list(workloadKinds[workload], namespace, broughtBy(restores))) ?? [];
      return objects.map((object) => ({ name: `${workload} ${object.metadata.name}`, ...readiness(object, workload) }));
    }),
  );
  const workloads = found.flat();
  const down = workloads.filter(({ ready, wanted }) => ready < wanted);
  if (down.length === 0) return { check, ok: true, saw: `all ${workloads.length} restored are ready` };
  const said = down.slice(0, 5).map(({ name, ready, wanted }) => `${name} has ${ready} of ${wanted}`).join(", ");
  return { check, ok: false, saw: `${said}${down.length > 5 ? ` and ${down.length - 5} more` : ""} ready` };
}

/** Counts what a restore of this run brought into a namespace: one that found everything there already changed nothing, and said `Completed`. */
async function census(namespace: string, point: string, { world, plan, target, call }: Duty): Promise<Seen> {
  const check = `objects in ${namespace}`;
  const cluster = await world.clusters.of(target.cluster);
  const { contents } = await readPoint(world.home, call.ref, point);
  // By the run's own restores: an earlier one of the same point leaves objects that look alike.
  const restores = restoreNames(call.ref.runId, plan.applications.filter(({ namespaces }) => namespaces.includes(namespace)).map(({ name }) => name));
  const selector = broughtBy(restores);
  const expected = contents.namespaces[namespace]?.kinds ?? {};
  const counted = [
    { kind: kinds.deployments, name: "apps/v1/Deployment" },
    { kind: kinds.statefulSets, name: "apps/v1/StatefulSet" },
    { kind: kinds.persistentVolumeClaims, name: "v1/PersistentVolumeClaim" },
  ];
  const found = await Promise.all(counted.map(async ({ kind, name }) => ({ name, wanted: expected[name] ?? 0, there: ((await cluster.list(kind, namespace, selector)) ?? []).length })));
  const short = found.filter(({ wanted, there }) => there < wanted);
  const said = (list: typeof found) => list.map(({ name, wanted, there }) => `${there} of ${wanted} ${name.split("/").at(-1)}`).join(", ");
  return { check, ok: short.length === 0, saw: short.length === 0 ? `${said(found)} came from ${point}` : `only ${said(short)} came from ${point}` };
}
