import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Those start real clusters, and those take minutes: vitest.real.config.ts, vitest.deep.config.ts.
    exclude: [...configDefaults.exclude, "test/real/**", "test/**/*.deep.test.ts"],
    // Hosts and worlds listen on sockets and load SDKs that may be loaded once a process: a process for each file.
    pool: "forks",
    // Half of a lab test is waiting: as many files at once as there are cores would leave them idle.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default"],
  },
});
