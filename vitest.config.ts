import { defineConfig } from 'vitest/config';

/**
 * Real servers take longer than code, above all on a machine that does other things too. In continuous integration a test that ran into
 * such a moment gets one more try, and the report shows that it needed it; at the desk it fails at once.
 */
const withServers = {
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 120_000,
  retry: process.env.CI === undefined ? 0 : 1,
};

export default defineConfig({
  test: {
    // Most tests wait for servers or timers most of the time.
    maxWorkers: '100%',
    reporters: ['default', ['json', { outputFile: '.cache/test-report.json' }], './.ci/errors-reporter.mjs'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{integration,browser,release}.test.ts'],
          // For what hangs. Properties with thousands of cases take seconds, and more on a machine that does other things too.
          testTimeout: 60_000,
        },
      },
      { test: { name: 'integration', include: ['test/**/*.integration.test.ts'], ...withServers } },
      // Run before a release: too long for each change, so `npm test` and `make test` leave them out.
      { test: { name: 'release', include: ['test/**/*.release.test.ts'], ...withServers } },
      { test: { name: 'browser', include: ['test/**/*.browser.test.ts'], ...withServers } },
    ],
  },
});
