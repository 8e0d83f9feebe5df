/**
 * One call at a time: whoever asks while one is under way shares the next with all others who do. Nobody is given an answer that was begun
 * before they asked, so a storm of askers costs one call after another and no one sees the past.
 */
export function coalesced<Answer>(call: () => Promise<Answer>): () => Promise<Answer> {
  let running: Promise<unknown> | null = null;
  let next: Promise<Answer> | null = null;
  const run = (): Promise<Answer> => {
    const answer = call();
    const over = answer.then(
      () => undefined,
      () => undefined,
    );
    running = over;
    void over.then(() => {
      if (running === over) running = null;
    });
    return answer;
  };
  return () => {
    if (running === null) return run();
    next ??= running.then(() => {
      next = null;
      return run();
    });
    return next;
  };
}
