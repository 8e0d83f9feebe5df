/** The shop's start page, made of nothing but what its pods have: their settings, their number, the orders in the database. */
import type { Backend } from "../world/application.ts";

export function storefrontPage({ config, ready, wanted, orders }: Extract<Backend, { kind: "shop" }>): string {
  const facts = [
    ["Prices in", config.currency],
    ["Region", config.region],
    ["Ready replicas", `${ready} of ${wanted}`],
    ["Orders", orders.kind === "lines" ? String(orders.lines.length) : `not available: ${orders.why}`],
  ] as const;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(config.banner)} · Shop</title>
<style>
:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem }
dd { margin: 0; font-weight: 600 }
</style>
</head>
<body>
<main>
<p>Shop</p>
<h1>${escaped(config.banner)}</h1>
<dl>
${facts.map(([term, value]) => `<dt>${term}</dt><dd>${escaped(value)}</dd>`).join("\n")}
</dl>
</main>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (value: string) => value.replace(/[&<>"]/g, (character) => entities[character] ?? character);
