/**
 * Runs Vitest with the given options. In continuous integration a test that failed gets one more try from Vitest itself; a file whose
 * process died (killed, or a crash of Node) gets one here, and the run says so. Called by test.sh.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorsFile } from './errors-reporter.mjs';

const reportFile = '.cache/test-report.json';
const FILES_MAX = 2;
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const options = process.argv.slice(2);

process.exitCode = run(options);
const dead = process.exitCode === 0 ? [] : filesOfDeadProcesses();
if (dead.length > 0 && process.env.CI === 'true') {
  const first = read(reportFile);
  const others = first.testResults.filter(({ name }) => !dead.some((file) => name.endsWith(file)));
  for (const file of dead) console.error(`the process that ran ${file} died; running it again`);
  const again = run([...options, ...dead]);
  const second = read(reportFile);
  writeFileSync(reportFile, JSON.stringify({ ...first, testResults: [...others, ...second.testResults] }));
  if (others.every(({ status }) => status === 'passed')) process.exitCode = again;
}

function run(more) {
  rmSync(errorsFile, { force: true });
  return spawnSync(process.execPath, [vitest, 'run', ...more], { stdio: 'inherit' }).status ?? 1;
}

/** None when something else is wrong as well, or too many died: then the machine or the code is at fault, and no second try helps. */
function filesOfDeadProcesses() {
  const errors = existsSync(errorsFile) ? read(errorsFile) : [];
  for (const message of errors) console.error(`outside of the tests: ${message}`);
  const files = errors.map(
    (message) => /Worker exited unexpectedly .* while running test files? (.+)$/.exec(message)?.[1],
  );
  return files.includes(undefined) || files.length > FILES_MAX ? [] : [...new Set(files)];
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
