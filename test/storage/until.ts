/** Waits, in wall time, until something is true; fails with the words given when it does not become so. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, patienceMs = 5_000): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > endsAt) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
