// Builds the Watermill program of the same work. Called by perf/peers/same-work/peers.ts.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../../../../contracts/config/config.ts';
import { installOnce, run, userCacheDir } from '../../../../stack/index.ts';

const directory = import.meta.dirname;
const sources = ['go.mod', 'go.sum', 'main.go'];

/** Fetches the modules and compiles, the first time. @returns the program's path */
export async function buildWatermill(): Promise<string> {
  const digest = createHash('sha256');
  for (const source of sources) digest.update(await readFile(path.join(directory, source)));
  const name = `same-work-watermill-${digest.digest('hex').slice(0, 8)}`;
  const built = await installOnce(await userCacheDir(loadConfig()), name, async (target) => {
    await run('go', ['build', '-o', path.join(target, 'watermill'), '.'], {
      cwd: directory,
      doing: 'building the Watermill program',
      missing: 'no Go found; install Go 1.23 or later (Debian: apt-get install golang)',
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
    });
  });
  return path.join(built, 'watermill');
}
