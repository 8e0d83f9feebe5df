/** Kubernetes quantities: `500m`, `2`, `1Gi`. */

const factors: Readonly<Record<string, number>> = { m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** A quantity as a number, of cores, bytes or things; zero when it is none. */
export function amountOf(quantity: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity) ?? [];
  return number === "" ? 0 : Number(number) * (factors[unit] ?? 1);
}

/** A number of this resource as a quantity: cores in thousandths where they are no whole ones, bytes in the largest unit that divides them. */
export function quantityText(amount: number, resource: string): string {
  if (resource.endsWith("cpu")) return Number.isInteger(amount) ? String(amount) : `${Math.round(amount * 1000)}m`;
  if (!/memory|storage/.test(resource)) return String(amount);
  const unit = (["Ti", "Gi", "Mi", "Ki"] as const).find((one) => amount > 0 && amount % (factors[one] ?? 1) === 0);
  return unit === undefined ? String(amount) : `${amount / (factors[unit] ?? 1)}${unit}`;
}
