/** Run ids are `<plan>-<epoch>`. */
export interface RunName {
  readonly plan: string;
  readonly epoch: number;
}

/** `null`: not a run id. */
export function readRunId(runId: string): RunName | null {
  const parts = /^([a-z0-9][a-z0-9-]{0,39})-([1-9]\d{0,8})$/.exec(runId);
  return parts?.[1] === undefined ? null : { plan: parts[1], epoch: Number(parts[2]) };
}

/** The plan of a run; of what is no run id, a name that no plan can have. */
export const planOfRun = (runId: string): string => readRunId(runId)?.plan ?? "-";
