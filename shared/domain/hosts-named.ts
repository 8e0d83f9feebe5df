/** Host names that objects of a backup write out: where a restored application would go, in whichever region it runs. Pure. */
import { arrayOf, containersOf, recordOf, stringOf } from "./loose.ts";

/** A host name, in lower case, and the object that was first seen to write it: `ConfigMap storefront`. */
export interface HostNamed {
  readonly host: string;
  readonly in: string;
}

/** Three labels or more, the last of letters (RFC 1123, as far as names of services on the Internet go): `shop-weu.database.windows.net`, and not `index.html`. */
const hostName = /\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){2,12}[a-z]{2,24}\b/gi;
/** A text longer than this is a file that an application serves, not a setting of its own. */
const textMax = 65_536;
/** Names inside a cluster mean the same in every cluster. */
const inCluster = /\.(?:svc|cluster\.local|internal)$/;

/** Those in a ConfigMap's values, in the environment and arguments of containers, and behind a Service of type ExternalName. Never what a Secret holds. `pod`: the object's pod template. */
export function hostsIn(kind: string, object: Readonly<Record<string, unknown>>, pod: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const text of [...settingsOf(kind, object), ...containerTexts(pod)]) {
    if (text.length > textMax) continue;
    for (const [match] of text.matchAll(hostName)) {
      const host = match.toLowerCase();
      if (!inCluster.test(host)) found.add(host);
    }
  }
  return found;
}

function settingsOf(kind: string, object: Readonly<Record<string, unknown>>): readonly string[] {
  if (kind === "ConfigMap") return Object.values(recordOf(object["data"])).flatMap((value) => stringOf(value) ?? []);
  return kind === "Service" ? [stringOf(recordOf(object["spec"])["externalName"]) ?? ""] : [];
}

const containerTexts = (pod: Readonly<Record<string, unknown>>): readonly string[] =>
  containersOf(pod).flatMap((container) => [...arrayOf(container["env"]).map((variable) => recordOf(variable)["value"]), ...arrayOf(container["command"]), ...arrayOf(container["args"])].flatMap((text) => stringOf(text) ?? []));
