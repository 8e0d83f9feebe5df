/** What a page of the lab's applications says in its own words: the shop's banner, or the demo's heading. */
export function shownBy(page: string): string {
  const found = /data-banner[^>]*>([^<]*)</.exec(page)?.[1] ?? /<h1[^>]*>([^<]*)<\/h1>/.exec(page)?.[1];
  return (found ?? page.slice(0, 60)).trim();
}
