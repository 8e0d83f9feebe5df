import { defineConfig } from "vitest/config";

/** Tests against real Kubernetes and real Velero: `npm run test:real`. */
export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    globalSetup: ["test/real/setup.ts"],
    pool: "forks",
    // The folder that Velero looks for volumes in and the machine's cores: one real region pair at a time.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ["default"],
  },
});
