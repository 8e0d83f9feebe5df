/** What a record has under a name of its own. Folders and blobs bear any name, `constructor` too, and every object has something under that. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(record, name) ? record[name] : undefined);
