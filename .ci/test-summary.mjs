/**
 * Reads vitest's JSON report and names the tests that were skipped, and why where the test says so. With CI=true a skip is a failure.
 * `--closing-line` prints only the counts, as the last line of a run.
 */
import { readFileSync } from 'node:fs';

const path = process.argv.at(-1);
const closingLine = process.argv.includes('--closing-line');

const report = read(path);
const tests = report === undefined ? [] : report.testResults.flatMap(({ assertionResults }) => assertionResults);
const count = (status) => tests.filter((test) => test.status === status).length;
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
// A file that fails before its tests run has no test of its own to count.
const brokenFiles = (report?.testResults ?? []).filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);
// A run without a single test has failed as a whole: its set-up did.
const failed = count('failed') + brokenFiles.length + (tests.length === 0 ? 1 : 0);

if (!closingLine) {
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  if (skipped.length > 0 && process.env.CI === 'true') console.error('with CI=true a skipped test is a failure');
}
const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
console.log(`${count('passed')} passed, ${failed} failed${skips}`);
process.exitCode = failed > 0 || (skipped.length > 0 && process.env.CI === 'true') ? 1 : 0;

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.error(`no test report at ${file}: the run ended before the tests`);
    return undefined;
  }
}
