import { planSchemaText } from "./plan-schema.ts";
import { sampleSettings, settingsPage } from "./settings-pages.ts";

/** Every file that is made from code, by its path in the project. `npm run docs` writes them; a test keeps them equal. */
export const generatedFiles: Readonly<Record<string, () => string>> = {
  "docs/plans/plan.schema.json": planSchemaText,
  "docs/settings.md": settingsPage,
  "local.settings.sample.json": sampleSettings,
};
