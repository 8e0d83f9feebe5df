import { defineConfig } from "vitest/config";

/** Tests that take minutes: whole failovers with something taken out, broken or killed, and the rules' own mutants. `npm run test:deep`. */
export default defineConfig({
  test: {
    include: ["test/**/*.deep.test.ts"],
    pool: "forks",
    maxWorkers: "100%",
    testTimeout: 120_000,
    hookTimeout: 30_000,
    reporters: ["default"],
  },
});
