/** Compares as the extension does: nothing is oldest; .NET versions (two to four numbers) by number; anything else as text, ignoring case. */
export function compareVersions(a: string | null, b: string | null): number {
  const [left, right] = [a?.trim() ?? "", b?.trim() ?? ""];
  if (left === "" || right === "") return Number(left !== "") - Number(right !== "");
  const [leftNumbers, rightNumbers] = [numbersOf(left), numbersOf(right)];
  if (leftNumbers && rightNumbers) return compareNumbers(leftNumbers, rightNumbers);
  const [leftText, rightText] = [left.toUpperCase(), right.toUpperCase()];
  return leftText < rightText ? -1 : Number(leftText > rightText);
}

/** Whether a host of version `host` may run an instance of version `instance`. */
export function versionMatches(strategy: "None" | "Strict" | "CurrentOrOlder", instance: string | null, host: string | null): boolean {
  switch (strategy) {
    case "None":
      return true;
    case "Strict":
      return compareVersions(instance, host) === 0;
    case "CurrentOrOlder":
      return compareVersions(instance, host) <= 0;
  }
}

function numbersOf(version: string): number[] | null {
  return /^\d+(\.\d+){1,3}$/.test(version) ? version.split(".").map(Number) : null;
}

/** A component that is not given is less than zero, as in .NET. */
function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < 4; index++) {
    const difference = (a[index] ?? -1) - (b[index] ?? -1);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
