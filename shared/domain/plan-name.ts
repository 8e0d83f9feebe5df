/** Where the file of a plan lies at home. */
export const planName = (plan: string): string => `plans/${plan}.yaml`;
