/** The app's rights in real clusters: what docs/permissions.md tells everybody to create, read from that page, and nothing else. */
import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import type { Api, ApiObject } from "../real/api.ts";
import { clientIds } from "../world/identity.ts";
import type { Role } from "./locations.ts";

const page = new URL("../../docs/permissions.md", import.meta.url);
/** Where the app runs as one identity, this is it. */
const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: clientIds.actuator }];
/** The page has the role for one plan's namespace and says that each has its own. */
const namespaceOnPage = "shop";

/** Binds the roles of the page to the app's identity. The namespaces, those of the plans' applications, must be there. Throws an `ApiRefused`. */
export async function applyRights(api: Api, role: Role, namespaces: readonly string[]): Promise<void> {
  for (const rights of await rightsOnPage(role)) {
    const own = rights.metadata.namespace === namespaceOnPage ? namespaces.map((namespace) => ({ ...rights, metadata: { ...rights.metadata, namespace } })) : [rights];
    for (const object of own) {
      await api.apply(object);
      await api.apply(bindingOf(object));
    }
  }
}

/** The objects in the page's YAML, for the one region or the other: each block says in its first line for which. */
export async function rightsOnPage(role: Role): Promise<readonly ApiObject[]> {
  const blocks = [...(await readFile(page, "utf8")).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.filter((block) => block.startsWith(`# The ${role}`)).flatMap((block) => parseAllDocuments(block).map((document) => document.toJS() as ApiObject));
}

function bindingOf({ apiVersion = "", kind = "", metadata: { name, namespace } }: ApiObject): ApiObject {
  return { apiVersion, kind: `${kind}Binding`, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name }, subjects };
}
