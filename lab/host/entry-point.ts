import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The files that `main` of an app's package.json names: one file, or a glob with `{a,b}`, `*` and `**`. Absolute, in order; fails when
 * there is none.
 */
export async function entryPoints(appDirectory: string): Promise<readonly string[]> {
  const { main } = JSON.parse(await readFile(join(appDirectory, "package.json"), "utf8")) as { main?: string };
  if (!main) throw new Error(`${appDirectory}/package.json has no "main": the host does not know what to load`);
  if (existsSync(join(appDirectory, main))) return [join(appDirectory, main)];
  const pattern = globPattern(main);
  const found = (await filesUnder(appDirectory)).filter((path) => pattern.test(path)).sort();
  if (found.length === 0) throw new Error(`"main": "${main}" of ${appDirectory}/package.json matches no file: build the app first`);
  return found.map((path) => join(appDirectory, path));
}

/** A glob as a pattern for `/`-separated relative paths. */
export function globPattern(glob: string): RegExp {
  let depth = 0;
  const source = glob.replace(/^\.\//, "").replace(/\*\*\/|\*\*|\*|\{|\}|,|[.+?^$()|[\]\\]/g, (token) => {
    switch (token) {
      case "**/":
        return "(?:.*/)?";
      case "**":
        return ".*";
      case "*":
        return "[^/]*";
      case "{":
        depth += 1;
        return "(?:";
      case "}":
        depth -= 1;
        return ")";
      case ",":
        return depth > 0 ? "|" : ",";
      default:
        return `\\${token}`;
    }
  });
  return new RegExp(`^${source}$`);
}

/** An app's own files; node_modules and dot directories hold no entry points and may hold a hundred thousand files. */
async function filesUnder(root: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && !entry.name.startsWith(".")) found.push(...(await filesUnder(root, `${path}/`)));
    } else found.push(path);
  }
  return found;
}
