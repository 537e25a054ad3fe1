import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userCacheDir } from '../../stack/cache.ts';
import { until } from '../runtime/harness.ts';
import { startOrdermesh } from '../support/ordermesh.ts';
import { freePorts } from './free-ports.ts';

const TIMEOUT_MS = 120_000;
const PORTS = 13;
const pythons = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-up-'));
  // A cache of its own, without the BigQuery emulator. Kafka is not fetched again.
  const cache = await userCacheDir({ ORDERMESH_CACHE_DIR: undefined });
  await mkdir(path.join(directory, 'cache'));
  for (const name of await readdir(cache))
    if (/^kafka-[\d.]+$/.test(name)) await symlink(path.join(cache, name), path.join(directory, 'cache', name));
});

afterEach(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));

/** Starts `ordermesh up` on a machine whose Python is this shell script. */
async function up(python: string) {
  const bin = path.join(directory, 'bin');
  await mkdir(bin);
  for (const name of pythons) {
    await writeFile(path.join(bin, name), `#!/bin/sh\n${python}\n`);
    await chmod(path.join(bin, name), 0o755);
  }
  const port = await freePorts(PORTS);
  const child = startOrdermesh(['up', '--rate', '5', '--seed', '7'], {
    PATH: `${bin}:${process.env.PATH}`,
    ORDERMESH_DATA_DIR: path.join(directory, 'data'),
    ORDERMESH_CACHE_DIR: path.join(directory, 'cache'),
    // Something else's: only the BigQuery emulator is still to be started.
    PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
    ORDERMESH_GATEWAY_PORT: String(port),
    ORDERMESH_DISPLAY_PORT: String(port + 1),
    ORDERMESH_LOYALTY_PORT: String(port + 2),
    ORDERMESH_GRPC_PORT: String(port + 3),
    ORDERMESH_ADMIN_PORT: String(port + 4),
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const lines: string[] = [];
  const waiting: { holds: () => boolean; resolve: () => void }[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => {
    lines.push(line);
    for (const { holds, resolve } of waiting) if (holds()) resolve();
  });
  const closed = new Promise((resolve) => output.once('close', resolve));
  return {
    lines,
    /** Waits for a line of the output. @throws when the command ends before */
    async said(pattern: RegExp): Promise<void> {
      const holds = () => lines.some((line) => pattern.test(line));
      if (holds()) return;
      const seen = new Promise<void>((resolve) => waiting.push({ holds, resolve }));
      await Promise.race([
        seen,
        closed.then(() => {
          throw new Error(`ended without ${pattern}:\n${lines.join('\n')}\n${errors}`);
        }),
      ]);
    },
    async interrupt() {
      child.kill('SIGINT');
      const code = await ended;
      await closed;
      return { code, errors };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

test('orders go to the kitchen although the Google Cloud part cannot start, and it is said why', {
  timeout: TIMEOUT_MS,
}, async () => {
  await using run = await up('exit 1');
  await run.said(
    /^the Google Cloud part .* is off: no Python 3\.10 or later with venv found; install it .* BIGQUERY_EMULATOR_HOST/,
  );
  await run.said(/^first order on the kitchen display/);
  expect(await run.interrupt()).toEqual({ code: 0, errors: '' });
  expect(run.lines.at(-1)).toMatch(/^stopped; data is kept/);
});

test('Ctrl-C while the emulator is being installed ends everything and leaves nothing half done', {
  timeout: TIMEOUT_MS,
}, async () => {
  const pidFile = path.join(directory, 'python.pid');
  // Passes the check of its version, and never finishes making the environment.
  await using run = await up(`[ "$1" = -c ] && exit 0\necho $$ > ${pidFile}\necho "making it"\nexec sleep 1000`);
  await run.said(/^first order on the kitchen display/);
  const pid = Number(
    await until(
      () => readFile(pidFile, 'utf8').catch(() => ''),
      (text) => text.endsWith('\n'),
    ),
  );
  // As a terminal does: every process in the foreground gets the signal.
  process.kill(pid, 'SIGINT');
  expect(await run.interrupt()).toEqual({ code: 0, errors: '' });
  expect(run.lines.filter((line) => line.startsWith('the Google Cloud part'))).toEqual([]);
  expect((await readdir(path.join(directory, 'cache'))).filter((name) => name.includes('partial'))).toEqual([]);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
