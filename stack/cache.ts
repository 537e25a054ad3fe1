import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../contracts/config/config.ts';
import { identify } from './process-identity.ts';

const projectCacheDir = fileURLToPath(new URL('../.cache/', import.meta.url));

/**
 * Where downloads are kept that every data directory and every checkout share: `ORDERMESH_CACHE_DIR`, or else `ordermesh` in the user's cache
 * directory (XDG Base Directory Specification), or the project's `.cache/` for a user who can't write there.
 */
export async function userCacheDir(
  config: Pick<Config, 'ORDERMESH_CACHE_DIR'>,
  env: Record<string, string | undefined> = process.env,
): Promise<string> {
  if (config.ORDERMESH_CACHE_DIR !== undefined) return path.resolve(config.ORDERMESH_CACHE_DIR);
  // A relative path there is invalid and to be ignored, says the specification.
  const base = path.isAbsolute(env.XDG_CACHE_HOME ?? '') ? env.XDG_CACHE_HOME : path.join(homedir(), '.cache');
  const directory = path.join(base ?? '', 'ordermesh');
  return mkdir(directory, { recursive: true })
    .then(() => access(directory, constants.W_OK))
    .then(
      () => directory,
      () => projectCacheDir,
    );
}

/** What this process installs at the moment, by the directory it becomes. */
const installing = new Map<string, Promise<string>>();

/**
 * A directory that is made once, or found whole. It is filled under another name first, so that an interrupted install, or one of
 * another process at the same time, never shows. Callers in one process share one install.
 */
export function installOnce(
  cacheDir: string,
  name: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const target = path.join(cacheDir, name);
  let installed = installing.get(target);
  if (installed === undefined) {
    installed = findOrInstall(cacheDir, name, install).finally(() => installing.delete(target));
    installing.set(target, installed);
  }
  return installed;
}

async function findOrInstall(
  cacheDir: string,
  name: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const target = path.join(cacheDir, name);
  if (await exists(target)) return target;
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir, name);
  const partial = path.join(cacheDir, `${name}.partial-${process.pid}`);
  await mkdir(partial);
  try {
    await install(partial);
    await rename(partial, target);
  } catch (error) {
    // An interrupted program may have left a child that still writes.
    await rm(partial, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    if (!(await exists(target))) throw error;
  }
  return target;
}

async function removeAbandoned(cacheDir: string, name: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    const [, pid] = entry.split(`${name}.partial-`);
    if (pid === undefined || (await identify(Number(pid))) !== undefined) continue;
    await rm(path.join(cacheDir, entry), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
