/** App settings, as the app sees them in its environment. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%NAME%` by that setting, as the real host does in schedules, paths and routes; a missing one is an error. */
export function resolveSettings(text: string, settings: Settings, where: string): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`${where}: the setting ${name} of "${text}" is not set`);
    return value;
  });
}
