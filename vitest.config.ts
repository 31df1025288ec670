import { defineConfig } from 'vitest/config'

// Tests run as compiled: workers, bins and packages are then the very files that ship.
export default defineConfig({
  test: {
    include: ['{packages,apps}/*/dist/**/*.test.js', 'bench/{dist,peers/dist}/**/*.test.js', 'test/dist/**/*.test.js'],
    exclude: ['**/node_modules/**'],
    setupFiles: ['test/dist/property-seed.js'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 150_000,
    hookTimeout: 60_000,
  },
})
