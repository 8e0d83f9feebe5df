/** ARM resource ids. Their fixed segments are case-insensitive: Azure itself answers `resourcegroups` where clients send `resourceGroups`. */

export interface ResourceId {
  readonly subscription: string;
  readonly resourceGroup: string;
  /** Names of the resource and its parents, outermost first: `["example.com", "shop"]` of a record set. */
  readonly names: readonly [string, ...string[]];
}

/** Takes a resource id apart; throws a `TypeError` on anything else. Plans are checked before, so this is a programming error. */
export function parseResourceId(id: string): ResourceId {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/[^/]+((?:\/[^/]+\/[^/]+)+)$/i.exec(id);
  const [, subscription, resourceGroup, path] = match ?? [];
  const [first, ...rest] = path?.split("/").filter((_segment, at) => at > 0 && at % 2 === 0) ?? [];
  if (subscription === undefined || resourceGroup === undefined || first === undefined) throw new TypeError(`not a resource id: ${id}`);
  return { subscription, resourceGroup, names: [first, ...rest] };
}

/** Whether two ids name one resource. */
export const sameResource = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
