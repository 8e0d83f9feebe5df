/** Works on many things at once, never on more than `limit`; answers come in the order of the things. The first error ends it, after all that had begun have ended. */
export async function sideBySide<In, Out>(limit: number, things: readonly In[], work: (thing: In) => Promise<Out>): Promise<Out[]> {
  const answers: Out[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < things.length && errors.length === 0; at = next++) {
      try {
        answers[at] = await work(things[at] as In); // `at` is below the length
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, things.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return answers;
}
