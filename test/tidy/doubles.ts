/** Holds docs/doubles.md against the contracts and the doubles that there are. */
import type { Source } from "./source.ts";

interface Row {
  readonly contract: string;
  readonly file: string;
  readonly double: readonly string[];
  readonly real: readonly string[];
}

const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);

function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| `(\w+Contract)` \|(.*)\|$/gm)].map(([, contract = "", rest = ""]) => {
    const [file = "", double = "", real = ""] = rest.split("|");
    return { contract, file: quoted(file)[0] ?? "", double: quoted(double), real: quoted(real) };
  });
}

/** Every contract with its file, as the code defines them. */
const definedIn = (sources: readonly Source[]) =>
  sources.filter(({ path }) => path.startsWith("test/contracts/")).flatMap(({ path, text }) => [...text.matchAll(/^export function (\w+Contract)\(/gm)].map(([, contract = ""]) => ({ contract, file: path })));

/** What the page says and the files do not, or the other way round, each as a sentence. Empty: they agree. */
export function doubleProblems(page: string, sources: readonly Source[]): string[] {
  const rows = rowsOf(page);
  const defined = definedIn(sources);
  const paths = sources.map(({ path }) => path);
  const tests = sources.filter(({ path }) => path.endsWith(".test.ts"));
  const [, total = "", real = ""] = /There are (\d+) contracts\. (\d+) of them run against the real thing too/.exec(page) ?? [];
  const sections = page.split(/^## /m).slice(1);
  const isThere = (path: string) => paths.some((one) => one === path || one.startsWith(`${path}/`));
  const places = sections.filter((section) => section.includes("**Imitated**")).map((section) => ({ title: section.split("\n")[0] ?? "", text: section, paths: quoted(section.split("\n")[1] ?? "") }));
  return [
    ...(Number(total) === defined.length ? [] : [`the page says ${total === "" ? "not how many" : total} contracts, and there are ${defined.length}`]),
    ...(Number(real) === rows.filter((row) => row.real.length > 0).length ? [] : [`the page says that ${real} contracts run against the real thing, and its table says otherwise`]),
    ...defined.filter(({ contract, file }) => !rows.some((row) => row.contract === contract && row.file === file)).map(({ contract, file }) => `${contract} of ${file} is not in the page's table`),
    ...rows.filter((row) => !defined.some(({ contract, file }) => row.contract === contract && row.file === file)).map(({ contract, file }) => `the page's table has ${contract} of ${file}, which is not there`),
    ...rows.flatMap(({ contract, double, real }) => {
      const runs = tests.filter(({ text }) => new RegExp(`^\\s*${contract}\\(`, "m").test(text)).map(({ path }) => path);
      const listed = [...double, ...real];
      return [
        ...listed.filter((path) => !runs.includes(path)).map((path) => `${contract} is not run in ${path}, as the page says`),
        ...runs.filter((path) => !listed.includes(path)).map((path) => `${contract} is run in ${path}, and the page does not say so`),
        ...(double.length > 0 ? [] : [`${contract} holds no double`]),
      ];
    }),
    ...places.flatMap(({ title, text, paths }) => [
      ...(paths.length > 0 ? [] : [`the section "${title}" does not say where its double is`]),
      ...paths.filter((path) => !isThere(path)).map((path) => `the section "${title}" names ${path}, which is not there`),
      ...["**Not imitated**", "**Held by**"].filter((part) => !text.includes(part)).map((part) => `the section "${title}" has no ${part}`),
      ...quoted(text.slice(text.indexOf("**Held by**"))).filter((one) => /^\w+Contract$/.test(one) && !defined.some(({ contract }) => contract === one)).map((one) => `the section "${title}" is held by ${one}, which is not there`),
    ]),
    // Whatever listens is a face of some double.
    ...sources.filter(({ path, text }) => /^lab\/faces\/[\w-]+\.ts$/.test(path) && path !== "lab/faces/listen.ts" && /\blisten\(|createSocket\(/.test(text)).filter(({ path }) => !page.includes(`\`${path}\``)).map(({ path }) => `${path} listens, and no section of the page names it`),
  ];
}
