import { readdirSync, readFileSync } from "node:fs";

/** One file of the project: its path with `/`, from the root, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export const root = new URL("../../", import.meta.url);

/** Where TypeScript of our own lives. */
const folders = ["bench", "cli", "console", "functions", "lab", "orchestrations", "shared", "test"];

/** Every TypeScript file of the project, in order of path. */
export function projectSources(): Source[] {
  const paths = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && folders.includes(entry.name))
    .flatMap(({ name }) => readdirSync(new URL(`${name}/`, root), { recursive: true, encoding: "utf8" }).map((path) => `${name}/${path.replaceAll("\\", "/")}`));
  return paths.filter((path) => /\.tsx?$/.test(path)).toSorted().map((path) => ({ path, text: readFileSync(new URL(path, root), "utf8") }));
}

/** What a file imports, as it is written there, types and dynamic imports included. */
export function importsOf({ text }: Source): string[] {
  const code = blanked(text, { strings: false });
  const statements = code.matchAll(/^\s*(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*["']([^"'\n]+)["']/gm);
  const calls = code.matchAll(/\b(?:import|require)\s*\(\s*["'`]([^"'`\n]+)["'`]/g);
  return [...statements, ...calls].map(([, specifier]) => specifier ?? "");
}

/** The code alone: comments blanked, and what stands in strings and regular expressions too where that is asked for. Line numbers stay. */
export function blanked(text: string, { strings }: { readonly strings: boolean }): string {
  const token = /(\/\/[^\n]*|\/\*[^]*?\*\/)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`)|(\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*\/)/y;
  let code = "";
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const [whole, comment, string, pattern] = token.exec(text) ?? [];
    // A slash after a value divides; anywhere else it begins a regular expression.
    const divides = pattern !== undefined && /[\w)\]}]\s*$/.test(code.slice(-20)) && !/\b(?:return|case|typeof|yield)\s*$/.test(code.slice(-20));
    if (whole === undefined || divides) {
      code += text.charAt(at);
      at += 1;
      continue;
    }
    const blank = comment !== undefined || (strings && (string ?? pattern) !== undefined);
    code += blank ? whole.replaceAll(/[^\n]/g, " ") : whole;
    at += whole.length;
  }
  return code;
}
