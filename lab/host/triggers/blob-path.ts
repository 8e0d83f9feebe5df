/** A blob trigger's path: a container, and a pattern of blob names. */
export interface BlobPath {
  readonly container: string;
  /** What every matching name begins with; may be empty. */
  readonly prefix: string;
  /** The values of the pattern's variables; null when the name does not match. */
  match(blobName: string): Readonly<Record<string, string>> | null;
}

/** Reads `container`, `container/name` or `container/{variable}.json`; a variable takes as much as it can, slashes included. */
export function blobPath(path: string): BlobPath {
  const slash = path.indexOf("/");
  const container = slash < 0 ? path : path.slice(0, slash);
  const pattern = slash < 0 ? "{name}" : path.slice(slash + 1);
  if (container === "" || pattern === "" || container.includes("{")) {
    throw new Error(`"${path}" is no path of a blob trigger: container/pattern, with variables like {name} in the pattern only`);
  }
  const variables: string[] = [];
  const source = pattern.replace(/\{(\w+)\}|[.*+?^$()|[\]\\{}]/g, (token, variable?: string) => {
    if (variable === undefined) return `\\${token}`;
    variables.push(variable);
    return "(.*)";
  });
  const expression = new RegExp(`^${source}$`, "s");
  return {
    container,
    prefix: pattern.split("{")[0] ?? "",
    match(blobName) {
      const found = expression.exec(blobName);
      return found && Object.fromEntries(variables.map((variable, index) => [variable, found[index + 1] ?? ""]));
    },
  };
}
