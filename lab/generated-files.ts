import { spoken } from "../shared/domain/decision.ts";
import { type Latency, typical } from "./world/latencies.ts";

/** The files that are made from the lab's code, by their path in the project. `npm run docs` writes them; a test keeps them equal. */
export const labFiles: Readonly<Record<string, () => string>> = { "docs/latencies.md": latenciesPage };

function latenciesPage(): string {
  const rows = Object.entries<Latency>(typical).map(([name, { ms, what, source }]) => `| ${what} | ${duration(ms)} | ${cell(source)} | \`${name}\` |`);
  return `# How long the real services take

Made from the table in \`lab/world/latencies.ts\` by \`npm run docs\`; change it there.

The lab's world takes as long as the real services do, as far as that is known: every duration in it is a row of this table, and each row
says where it is from. What is called an estimate is one: nobody publishes a figure. Where a service is often much slower than in the lab,
the row says so. A recovery time that \`npm run lab\` measures is made of these rows and of our own code, and our own code counts
\`--rate\` times in it.

| What | Typically | Where that is from | Name |
|---|---|---|---|
${rows.join("\n")}
`;
}

const duration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : spoken(ms / 1_000));
const cell = (text: string): string => text.replaceAll("|", "\\|");
