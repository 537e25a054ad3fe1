// Unpacks the previous release beside this one, with this one's packages. Used by the test of a rolling upgrade.

import { execFileSync } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

export const archiveFile = new URL('previous-release.tar.br', import.meta.url);

/** What a role needs to run: no tests, documents, laboratories or benchmarks. */
export const rooms = [
  ...['actors', 'bridge', 'cli', 'contracts', 'display', 'edge', 'gateway', 'kafka', 'region', 'runtime', 'stack'],
  ...['store', 'telemetry'],
];

export interface Release {
  version: string;
  /** The command `ordermesh` of this release. */
  program: string;
}

const project = fileURLToPath(new URL('../../', import.meta.url));

/** The release of this checkout. */
export async function thisRelease(): Promise<Release> {
  return { version: await versionIn(project), program: path.join(project, 'cli/main.ts') };
}

/** @param directory an empty directory; the release is unpacked there */
export async function previousRelease(directory: string): Promise<Release> {
  const sources = brotliDecompressSync(await readFile(archiveFile));
  execFileSync('tar', ['-xf', '-', '-C', directory], { input: sources });
  await symlink(path.join(project, 'node_modules'), path.join(directory, 'node_modules'));
  return { version: await versionIn(directory), program: path.join(directory, 'cli/main.ts') };
}

async function versionIn(directory: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(directory, 'package.json'), 'utf8')) as { version: string };
  return version;
}
