import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../stack/install/check-tools.sh', import.meta.url));
const shell = execFileSync('sh', ['-c', 'command -v sh'], { encoding: 'utf8' }).trim();
let bin: string;

/** A machine that has only what the test gives it. */
beforeEach(async () => {
  bin = await mkdtemp(path.join(tmpdir(), 'tools-'));
  for (const name of ['sh', 'sed', 'head', 'grep'])
    await symlink(execFileSync(shell, ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(bin, name));
  await tool('node', 'echo v20.20.2');
  await tool('npm', ':');
  await tool('mvn', ':');
  await tool('java', `echo 'openjdk version "17.0.15" 2025-04-15' >&2`);
  await tool('python3', ':');
});
afterEach(() => rm(bin, { recursive: true }));

test('a complete machine passes without a word', () => {
  expect(check()).toEqual({ status: 0, said: '' });
});

test.each([
  ['node', 'echo v18.19.0', /missing: Node.js 20 or later \(found: v18.19.0\)\n {4}fix: /],
  ['java', `echo 'openjdk version "11.0.2" 2019' >&2`, /missing: JDK 17 or later \(found: 11\)\n {4}fix: .*JAVA_HOME/],
  ['java', `echo 'java version "1.8.0_292"' >&2`, /missing: JDK 17 or later \(found: 8\)/],
  ['mvn', undefined, /missing: Maven, which fetches Kafka\n {4}fix: .*apt-get install maven.*KAFKA_BROKERS/],
  ['npm', undefined, /missing: npm\n {4}fix: /],
  ['python3', 'exit 1', /missing: Python 3.10 or later with venv.*\n {4}fix: .*python3-venv.*BIGQUERY_EMULATOR_HOST/],
])('%s that says %j is named with the fix', async (name, says, message) => {
  await rm(path.join(bin, name));
  if (says !== undefined) await tool(name, says);
  const { status, said } = check();
  expect(status).toBe(1);
  expect(said).toMatch(message);
});

test('what a configured server makes unnecessary is not asked for', async () => {
  for (const name of ['java', 'mvn', 'python3']) await rm(path.join(bin, name));
  const address = '127.0.0.1:1';
  const configured = { KAFKA_BROKERS: address, PUBSUB_EMULATOR_HOST: address, BIGQUERY_EMULATOR_HOST: address };
  expect(check(configured)).toEqual({ status: 0, said: '' });
});

async function tool(name: string, body: string): Promise<void> {
  await writeFile(path.join(bin, name), `#!${shell}\n${body}\n`);
  await chmod(path.join(bin, name), 0o755);
}

function check(env: Record<string, string> = {}): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(shell, [script], { env: { PATH: bin, ...env }, encoding: 'utf8' });
  return { status, said: stderr };
}
