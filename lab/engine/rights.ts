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

export interface Rights {
  readonly role: Role;
  /** Those of the plans' applications: each has a role of its own. */
  readonly namespaces: readonly string[];
  /** What a role of the page is called; default: as there. */
  readonly named?: (name: string) => string;
}

/** Binds the roles of the page to the app's identity. The namespaces must be there. Throws an `ApiRefused`. */
export async function applyRights(api: Api, rights: Rights): Promise<void> {
  for (const object of await rightsObjects(rights)) await api.apply(object);
}

/** The roles of the page, each with its binding. */
export async function rightsObjects({ role, namespaces, named = (name) => name }: Rights): Promise<readonly ApiObject[]> {
  const placesOf = ({ metadata: { namespace } }: ApiObject) => (namespace === namespaceOnPage ? namespaces.map((own) => ({ namespace: own })) : [namespace === undefined ? {} : { namespace }]);
  const roles = (await rightsOnPage(role)).flatMap((object) => placesOf(object).map((place) => ({ ...object, metadata: { ...object.metadata, ...place, name: named(object.metadata.name) } })));
  return roles.flatMap((object) => [object, bindingOf(object)]);
}

/** The objects in the page's YAML, for the one region or the other: each block says in its first line for which. */
export async function rightsOnPage(role: Role): Promise<readonly ApiObject[]> {
  const blocks = [...(await readFile(page, "utf8")).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.filter((block) => block.startsWith(`# The ${role}`)).flatMap((block) => parseAllDocuments(block).map((document) => document.toJS() as ApiObject));
}

function bindingOf({ apiVersion = "", kind = "", metadata: { name, namespace } }: ApiObject): ApiObject {
  return { apiVersion, kind: `${kind}Binding`, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name }, subjects };
}
