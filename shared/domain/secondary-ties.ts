/** What a restored application holds on to outside of its cluster, held against what is there without the primary: identities, vaults, certificates, the world. Pure. */
import type { Contents } from "./contents.ts";
import { answersOf, type FitAnswer } from "./fit-answer.ts";
import { instantText } from "./instant.ts";
import { namespacesOf } from "./ladder-levels.ts";
import { type OutsideTie, vaultInUrl } from "./outside-ties.ts";
import type { Plan } from "./plan.ts";
import { someOf } from "./replica.ts";
import type { StateSeen } from "./secondary-state.ts";

export function tieAnswers(contents: Contents, plan: Plan, seen: StateSeen, at: number): readonly FitAnswer[] {
  const ties = namespacesOf(plan).flatMap((namespace) => (contents.namespaces[namespace]?.ties ?? []).map((tie) => ({ ...tie, in: `${tie.in} of ${namespace}` })));
  return [identity(ties, seen), vaults(ties, contents, plan, seen), certificates(ties, at), actors(ties)];
}

function identity(ties: readonly OutsideTie[], { identity: given }: StateSeen): FitAnswer {
  const say = answersOf("identity", "identity");
  const signingIn = ties.filter(({ kind }) => kind === "identity").map((tie) => tie.in);
  if (signingIn.length === 0) return say(true, "none of its service accounts signs in by workload identity");
  if (given === null) return say("unknown", `whether the secondary issues tokens for ${someOf(signingIn)} could not be read`);
  const off = [...(given.oidcIssuer ? [] : ["OIDC issuer"]), ...(given.workloadIdentity ? [] : ["workload identity"])];
  return off.length > 0 ? say(false, `the secondary cluster has no ${off.join(" and no ")}, and by them sign in ${someOf(signingIn)}`) : say(true, `the secondary issues tokens for ${someOf(signingIn)}; whether Entra trusts its issuer, only a token tells`);
}

function vaults(ties: readonly OutsideTie[], contents: Contents, plan: Plan, { storeKey }: StateSeen): FitAnswer {
  const say = answersOf("vaults", "key-vault");
  const named = ties.flatMap((tie) => (tie.kind === "vault" ? [{ vault: tie.vault, in: tie.in }] : []));
  const inSettings = namespacesOf(plan).flatMap((namespace) => (contents.namespaces[namespace]?.hosts ?? []).flatMap(({ host, in: where }) => {
    const vault = vaultInUrl(host);
    return vault === null ? [] : [{ vault, in: `${where} of ${namespace}` }];
  }));
  const ofStore = storeKey === null || storeKey === "none" ? [] : [{ vault: storeKey.vault, in: "the encryption of the replica's storage account" }];
  const needed = [...named, ...inSettings, ...ofStore];
  const toldOf = (list: typeof needed) => someOf(list.map((each) => `${each.vault} in ${each.in}`), 5);
  if (plan.secondary.keyVaults === undefined && needed.length > 0) return say("unknown", `nothing says which key vaults answer without the primary, and it needs ${toldOf(needed)}: list them in secondary.keyVaults`);
  const outside = new Set(plan.secondary.keyVaults?.map((vault) => vault.toLowerCase()));
  const elsewhere = needed.filter(({ vault }) => !outside.has(vault));
  if (elsewhere.length > 0) return say(false, `not in secondary.keyVaults: ${toldOf(elsewhere)}`);
  return storeKey === null ? say("unknown", "by whose key the replica's account is encrypted could not be read") : say(true, `the ${needed.length} key vaults that it names answer without the primary`);
}

const dayMs = 86_400_000;
/** So long before its end a certificate is told of. */
const warnMs = 30 * dayMs;

function certificates(ties: readonly OutsideTie[], at: number): FitAnswer {
  const say = answersOf("certificates", "certificate-ends");
  const served = ties.filter((tie) => tie.kind === "certificate");
  const ending = served.flatMap(({ endsAt, in: where }) => (endsAt !== null && endsAt - at < warnMs ? [{ endsAt, where }] : [])).toSorted((a, b) => a.endsAt - b.endsAt);
  const [first] = ending;
  if (first !== undefined) return say(false, `${endText(first.endsAt, at)}: ${someOf(ending.map(({ endsAt, where }) => `${where} ends at ${instantText(endsAt)}`))}`);
  const unread = served.filter(({ endsAt }) => endsAt === null).map((tie) => tie.in);
  return unread.length > 0 ? say("unknown", `the certificate in ${someOf(unread)} cannot be read`) : say(true, `none of its ${served.length} certificates ends within 30 days`);
}

const endText = (endsAt: number, at: number): string => (endsAt <= at ? "a certificate is over, and a failover now would not open the secondary with it" : endsAt - at < dayMs ? "a certificate has less than a day left, and a failover may come too late for it" : `a certificate has ${Math.floor((endsAt - at) / dayMs)} days left`);

function actors(ties: readonly OutsideTie[]): FitAnswer {
  const say = answersOf("actors", "acts-outside");
  const acting = ties.flatMap((tie) => (tie.kind === "actor" ? [`${tie.program} in ${tie.in}`] : []));
  return acting.length === 0 ? say(true, "it brings no program, known by its image, that acts on the world by itself") : say(false, `it would act as soon as it is restored, before the secondary is opened: ${someOf(acting, 5)}`);
}
