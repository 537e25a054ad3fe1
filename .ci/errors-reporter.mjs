/** Writes what went wrong outside of the tests to `.cache/test-errors.json`, which the JSON report leaves out. Loaded by vitest.config.ts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const errorsFile = '.cache/test-errors.json';

export default class ErrorsReporter {
  onTestRunEnd(_modules, errors) {
    mkdirSync(path.dirname(errorsFile), { recursive: true });
    writeFileSync(errorsFile, JSON.stringify(errors.map(wholeMessage)));
  }
}

/** Vitest wraps what it knows of a process that died in an error that says nothing. */
function wholeMessage({ message, cause }) {
  return cause === undefined ? message : `${message} ${wholeMessage(cause)}`;
}
