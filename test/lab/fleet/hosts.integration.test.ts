import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../stack/support.ts';

const program = fileURLToPath(new URL('enclosed.ts', import.meta.url));
const canEnclose = userInfo().uid === 0 && spawnSync('ip', ['-V']).status === 0;

test.skipIf(!canEnclose)(
  'hosts of the fleet have disks of their own, are cut off and switched off, and leave nothing behind (needs root and ip)',
  async () => {
    await using directory = await temporaryDirectory();
    const cacheDir = path.join(directory.path, 'cache');
    await mkdir(cacheDir);
    const child = spawn(process.execPath, [program, directory.path, cacheDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const disk = ['logs', 'tmp'];
    expect(JSON.parse(said)).toEqual({
      ...{ on: true, cut: false, mended: true, off: false, secondIsOn: true },
      ...{ own: [...disk, 'note'].sort(), others: disk },
    });
    expect(code).toBe(0);
    const left = spawnSync('ip', ['-br', 'link'], { encoding: 'utf8' }).stdout;
    expect(left).not.toMatch(/switch|to-workers/);
  },
);
