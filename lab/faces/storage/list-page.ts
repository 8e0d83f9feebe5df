/** Rewrites a page of blobs or containers as Azurite lists them: lab time, replication status, the address that the client knows. */

/** What the front knows of one blob and Azurite does not. */
export interface Listed {
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly statuses: readonly { readonly policyId: string; readonly ruleId: string; readonly status: string }[];
}

/** HTTP dates have whole seconds. */
export const httpDate = (at: number): string => new Date(at).toUTCString();

export function blobListPage(xml: string, origin: string, look: (name: string, azuriteSays: string) => Listed): string {
  return ownAddress(xml, origin).replaceAll(/<Blob><Name(?:\s[^>]*)?>([^<]*)<\/Name>.*?<\/Blob>/gs, (blob, name: string) => {
    const listed = look(unescapeXml(name), textOf(blob, "Last-Modified"));
    const dated = blob.replace(/<Creation-Time>[^<]*</, `<Creation-Time>${httpDate(listed.createdAt)}<`).replace(/<Last-Modified>[^<]*</, `<Last-Modified>${httpDate(listed.modifiedAt)}<`);
    if (listed.statuses.length === 0) return dated;
    const statuses = listed.statuses.map(({ policyId, ruleId, status }) => `<or-${policyId}_${ruleId}>${status}</or-${policyId}_${ruleId}>`);
    return dated.replace(/<\/Blob>$/, `<OrMetadata>${statuses.join("")}</OrMetadata></Blob>`);
  });
}

export function containerListPage(xml: string, origin: string, modifiedAt: (container: string, azuriteSays: string) => number): string {
  return ownAddress(xml, origin).replaceAll(/<Container><Name>([^<]*)<\/Name>.*?<\/Container>/gs, (container, name: string) =>
    container.replace(/<Last-Modified>([^<]*)</, (_, says: string) => `<Last-Modified>${httpDate(modifiedAt(unescapeXml(name), says))}<`),
  );
}

const ownAddress = (xml: string, origin: string) => xml.replace(/ServiceEndpoint="[^"]*"/, `ServiceEndpoint="${origin}/"`);
const textOf = (xml: string, element: string) => new RegExp(`<${element}>([^<]*)<`).exec(xml)?.[1] ?? "";

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));/g, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return named[name ?? ""] ?? whole;
  });
}
