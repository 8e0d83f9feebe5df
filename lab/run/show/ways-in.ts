/** How a person reaches what runs, after the run. */
import { fileURLToPath } from "node:url";
import { primary, secondary } from "../../world/pair.ts";

/**
 * The lines for `--keep`, made from the addresses of the event `up`. Each command can be copied as it stands. `doors`: what to source for
 * the app's doors; `log`: what the app has written so far.
 */
export function waysIn(urls: Readonly<Record<string, string>>, { doors, log }: { readonly doors: string; readonly log: string }): readonly string[] {
  const page = new URL(urls["public"] ?? "");
  const ca = fileURLToPath(urls["ca"] ?? "");
  const curl = ({ ingressAddress }: { readonly ingressAddress: string }) => `  curl --cacert ${ca} --resolve ${page.hostname}:${page.port}:${ingressAddress} ${page.href}`;
  return [
    "Everything stays up until Ctrl-C.",
    ...[primary, secondary].flatMap((region) => [`${page.hostname} as ${region.region} serves it:`, curl(region)]),
    "The app's doors (docs/http.md), with a token for each role:",
    `  . ${doors}; curl -H "authorization: Bearer $TOKEN" $APP/api/plans`,
    `the function app:  ${urls["app"]}`,
    `what it writes:    ${log}`,
    `the storage front: ${urls["storage"]}`,
  ];
}
