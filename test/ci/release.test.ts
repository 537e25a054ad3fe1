import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** A release has one version, and it is written in several files. */

const read = (file: string) => readFileSync(file, 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

test('the lock file has the version of the package', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  expect([lock.version, lock.packages['']?.version]).toEqual([version, version]);
});

test('the chart has the version of the package, as its own and as that of the image', () => {
  const chart = read('deploy/helm/Chart.yaml');
  expect(/^version: (.+)$/m.exec(chart)?.[1]).toBe(version);
  expect(/^appVersion: (.+)$/m.exec(chart)?.[1]).toBe(version);
});

test('the newest section of the change log is that of the package', () => {
  const [, newest] = /^## (\d\S*) — \d{4}-\d\d-\d\d$/m.exec(read('CHANGELOG.md')) ?? [];
  expect(newest).toBe(version);
});
