import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify } from './process-identity.ts';

/** Downloads that every data directory shares. `make clean` keeps them. */
export const defaultCacheDir = fileURLToPath(new URL('../.cache/', import.meta.url));

/**
 * A directory that is made once, or found whole. It is filled under another name first, so that an interrupted or a second
 * simultaneous install never shows.
 */
export async function installOnce(
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
    await rm(partial, { recursive: true, force: true });
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
