// Installs the BigQuery emulator's Python packages. Called by emulator.ts.

import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../cache.ts';
import { run } from '../commands.ts';

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Python's names, newest last; `python3` may be older than another that is there. */
const pythons = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const suitable = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

const pythonMissing =
  'no Python 3.10 or later with venv found; install it (Debian: apt-get install python3 python3-venv) or set BIGQUERY_EMULATOR_HOST';

/** Copied from the packages into DuckDB's directory, else the emulator's start tries a download. */
const importExtensions = 'from duckdb_extensions import import_extension as i; i("spatial"); i("avro")';

export interface PythonEnvironment {
  python: string;
  env: Record<string, string | undefined>;
}

/** The emulator's own Python environment, made the first time. DuckDB's directory is in it, not in the user's home. */
export async function bigqueryEnvironment(cacheDir: string, signal?: AbortSignal): Promise<PythonEnvironment> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 8);
  const name = `bigquery-${digest}`;
  // An environment whose Python is gone is removed and installed again.
  const { python } = environmentIn(path.join(cacheDir, name));
  await access(python).catch(() => rm(path.join(cacheDir, name), { recursive: true, force: true }));
  const directory = await installOnce(cacheDir, name, (target) => install(target, signal));
  return environmentIn(directory);
}

async function install(directory: string, signal: AbortSignal | undefined): Promise<void> {
  const options = { doing: 'installing the BigQuery emulator', missing: pythonMissing, ...(signal && { signal }) };
  await run(await systemPython(), ['-m', 'venv', directory], options);
  const { python, env } = environmentIn(directory);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await run(python, pip, { ...options, env: { ...env, HOME: process.env.HOME } });
  await mkdir(path.join(directory, 'home'));
  await run(python, ['-c', importExtensions], { ...options, env });
}

function environmentIn(directory: string): PythonEnvironment {
  // Compiled modules are kept, whatever the user prefers for programs of theirs: the start is seconds faster.
  const { PYTHONDONTWRITEBYTECODE: _, PYTHONPATH: __, PYTHONHOME: ___, ...env } = process.env;
  return { python: path.join(directory, 'bin/python'), env: { ...env, HOME: path.join(directory, 'home') } };
}

/** The machine's Python 3.10 or later, with venv. @throws naming what to install */
export async function systemPython(): Promise<string> {
  for (const python of pythons) {
    const works = await run(python, ['-c', suitable], { doing: '', missing: '' }).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  throw new Error(pythonMissing);
}
