import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../.ci/test-summary.mjs', import.meta.url));

test('skipped tests are named, and fail only where CI=true', async () => {
  const report = [
    { status: 'passed', assertionResults: [result('passed', 'a works'), result('skipped', 'b needs Chromium')] },
  ];
  const said = 'skipped: b needs Chromium\n1 passed, 0 failed, 1 skipped\n';
  expect(await summary(report, '')).toEqual({ status: 0, said });
  expect(await summary(report, 'true')).toEqual({ status: 1, said });
});

test('a failed test, and a file that breaks before its tests, count as failed', async () => {
  const failing = { status: 'failed', assertionResults: [result('passed', 'a'), result('failed', 'b')] };
  const broken = { status: 'failed', assertionResults: [] };
  expect(await summary([failing, broken], '')).toEqual({ status: 1, said: '1 passed, 2 failed\n' });
});

test('a run without tests, or without a report, has failed', async () => {
  expect(await summary([], '')).toEqual({ status: 1, said: '0 passed, 1 failed\n' });
  expect(await summary(undefined, '')).toEqual({ status: 1, said: '0 passed, 1 failed\n' });
});

function result(status: string, fullName: string) {
  return { status, fullName };
}

async function summary(testResults: unknown[] | undefined, ci: string) {
  const directory = await mkdtemp(path.join(tmpdir(), 'summary-'));
  try {
    const report = path.join(directory, 'report.json');
    if (testResults !== undefined) await writeFile(report, JSON.stringify({ testResults }));
    const { status, stdout } = spawnSync(process.execPath, [script, report], { env: { CI: ci }, encoding: 'utf8' });
    return { status, said: stdout };
  } finally {
    await rm(directory, { recursive: true });
  }
}
