/** How a person reaches what runs, after the run. */
import { fileURLToPath } from "node:url";
import { primary, secondary } from "../../world/pair.ts";

/** The lines for `--keep`, made from the addresses of the event `up`. Each command can be copied as it stands. */
export function waysIn(urls: Readonly<Record<string, string>>): readonly string[] {
  const page = new URL(urls["public"] ?? "");
  const ca = fileURLToPath(urls["ca"] ?? "");
  const curl = ({ ingressAddress }: { readonly ingressAddress: string }) => `  curl --cacert ${ca} --resolve ${page.hostname}:${page.port}:${ingressAddress} ${page.href}`;
  return [
    "Everything stays up until Ctrl-C.",
    ...[primary, secondary].flatMap((region) => [`${page.hostname} as ${region.region} serves it:`, curl(region)]),
    `the function app:  ${urls["app"]}`,
    `the storage front: ${urls["storage"]}`,
  ];
}
