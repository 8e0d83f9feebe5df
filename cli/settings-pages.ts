import { agentNotesOf, agentSettings } from "../shared/agent-config.ts";
import { notesOf, type SettingNotes, settings } from "../shared/config.ts";

const names = Object.keys(settings.shape) as (keyof typeof settings.shape)[];

/** `docs/settings.md`, made from the table in shared/config.ts. */
export function settingsPage(): string {
  const rows = names.map((name) => row(name, settings.shape[name].safeParse(undefined), notesOf(name)));
  const agents = (Object.keys(agentSettings.shape) as (keyof typeof agentSettings.shape)[]).map((name) => row(name, agentSettings.shape[name].safeParse(undefined), agentNotesOf(name)));
  return `# Settings

Made from the table in \`shared/config.ts\` by \`npm run docs\`; change it there.

The app reads its settings once, when it starts. When something is wrong it does not start, and names every variable that is wrong, with
what to write; the values themselves are never shown. No setting is a secret: the app signs in with its managed identity.

| Setting | What for | Not set | Example |
|---|---|---|---|
${rows.join("\n")}

## What the Functions host itself reads

| Setting | What for |
|---|---|
| \`AzureWebJobsStorage__accountName\`, \`AzureWebJobsStorage__credential\` | The account of the task hub and of the triggers' bookkeeping. It must lie outside both regions. |
| \`N__blobServiceUri\` (or \`N\`, a connection string), \`N__container\` | For each name \`N\` in \`BACKUP_SOURCES\`: where new backups appear. Where the host signs in with its identity it also wants \`N__queueServiceUri\`, for blobs it gave up on. |
| \`FUNCTIONS_WORKER_RUNTIME\` | \`node\` |

## What the lease agent reads

A program of its own in the primary's cluster, where a plan has one ([deploy.md](deploy.md#the-lease-agent)). From the table in \`shared/agent-config.ts\`.

| Setting | What for | Not set | Example |
|---|---|---|---|
${agents.join("\n")}

## On your own machine

The app's settings stand in \`local.settings.json\`; copy \`local.settings.sample.json\` and fill it in.
`;
}

/** `local.settings.sample.json`: what a first start on one machine needs, with Azurite as the host's own storage. */
export function sampleSettings(): string {
  const values = names.map((name) => {
    const { sample, example } = notesOf(name);
    return [name, sample ?? example] as const;
  });
  const file = { IsEncrypted: false, Values: { FUNCTIONS_WORKER_RUNTIME: "node", AzureWebJobsStorage: "UseDevelopmentStorage=true", ...Object.fromEntries(values) } };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** One variable of the page. */
function row(name: string, fallback: { readonly success: boolean; readonly data?: unknown }, { about, example }: SettingNotes): string {
  return `| \`${name}\` | ${cell(about)} | ${fallback.success ? absent(fallback.data) : "**required**"} | \`${cell(example)}\` |`;
}

function absent(fallback: unknown): string {
  if (typeof fallback === "string" || typeof fallback === "number") return `\`${fallback}\``;
  return fallback === undefined ? "—" : "none";
}

/** A table cell holds no bar of its own. */
const cell = (text: string) => text.replaceAll("|", String.raw`\|`);
