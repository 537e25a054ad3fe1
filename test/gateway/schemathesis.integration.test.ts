import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { systemPython } from '../../stack/bigquery/environment.ts';
import { installOnce, userCacheDir } from '../../stack/cache.ts';
import { run } from '../../stack/commands.ts';
import { oneItemMenus } from './menus/one-item-menus.ts';
import { PromptIntake } from './prompt-intake.ts';
import { sampleOrder, startServerOn } from './support.ts';

const folder = fileURLToPath(new URL('schemathesis/', import.meta.url));
const TIMEOUT_MS = 240_000;

/** https://schemathesis.readthedocs.io in a Python environment of its own, kept in the user's cache. */
async function schemathesis(): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 8);
  const cacheDir = await userCacheDir(loadConfig());
  const directory = await installOnce(cacheDir, `schemathesis-${digest}`, async (target) => {
    const options = { doing: 'installing schemathesis', missing: 'no Python with venv' };
    await run(await systemPython(), ['-m', 'venv', target], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
    await run(join(target, 'bin/python'), pip, options);
  });
  // Started as a module: after a move of the environment, its scripts have the old path.
  return join(directory, 'bin/python');
}

test(
  'schemathesis finds no answer that /openapi.json does not promise',
  async () => {
    const python = await schemathesis();
    const intake = new PromptIntake();
    await using gateway = await startServerOn(intake, {}, oneItemMenus);
    const cwd = await mkdtemp(join(tmpdir(), 'ordermesh-schemathesis-'));
    const options = [
      ...['--phases', 'coverage,fuzzing', '--max-examples', '50', '--seed', '1', '--no-color'],
      // AsyncAPI describes WebSocket, and OpenAPI 3.1 cannot describe the lines of a batch: fuzz.integration.test.ts tests both.
      ...['--exclude-path', '/v1/stream', '--exclude-path', '/v1/orders/batch'],
      ...['-H', `Authorization: ${await gateway.bearer()}`],
    ];
    const env = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) =>
      execFile(
        python,
        ['-m', 'schemathesis.cli', 'run', `${gateway.url}/openapi.json`, ...options],
        { env, cwd, maxBuffer: 2 ** 24 },
        (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
      ),
    );
    await rm(cwd, { recursive: true, force: true });
    expect(code, output).toBe(0);
    expect(output).toContain('5 selected');
    expect(intake.taken.length, 'orders that were good enough to be taken').toBeGreaterThan(0);
    expect((await gateway.post(sampleOrder())).status).toBe(202);
  },
  TIMEOUT_MS,
);
