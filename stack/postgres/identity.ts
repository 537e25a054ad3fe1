import { execFile } from 'node:child_process';
import { chown, lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** The user that PostgreSQL runs as: PostgreSQL refuses to run as root. */
export interface ServerIdentity {
  /** Command and arguments that stand before the program's. */
  prefix: string[];
  /** Switched to before the command starts. */
  spawnAs?: { uid: number; gid: number };
  /** Owner of its files, where that is not the user of this process. */
  owner?: { uid: number; gid: number };
}

/**
 * The user of this process, unless it is root. Root tries three ways, best first:
 * 1. a user namespace in which root is shown as `nobody`: files stay root's, and any directory that root may enter works;
 * 2. the user `nobody` that keeps the one capability it takes to enter directories that only root may;
 * 3. the user `nobody`, which works where every parent directory may be entered by all.
 * @throws when none works, naming what to do.
 */
export async function serverIdentity(initdb: string): Promise<ServerIdentity> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const nobody = await nobodyUser();
  const failures: string[] = [];
  for (const identity of rootIdentities(nobody)) {
    const failure = await tryOut(identity, initdb);
    if (failure === undefined) return identity;
    failures.push(failure);
  }
  throw new Error(
    [
      'PostgreSQL refuses to run as root, and no other way to run it works here.',
      'Run as another user, or set DATABASE_URL to a server of yours.',
      ...failures.map((failure) => `  tried: ${failure}`),
    ].join('\n'),
  );
}

export function rootIdentities(nobody: { uid: number; gid: number }): ServerIdentity[] {
  const { uid, gid } = nobody;
  const namespace = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`];
  // PostgreSQL asks access(2), which counts capabilities only under this secure bit.
  const secureBits = '--securebits=+no_setuid_fixup';
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const user = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', secureBits, ...capability];
  return [
    { prefix: namespace, owner: { uid: 0, gid: 0 } },
    { prefix: user, owner: nobody },
    { prefix: [], owner: nobody, spawnAs: nobody },
  ];
}

/** `initdb --show` changes nothing, but refuses root and looks for the server's program as a start would. */
async function tryOut({ prefix, spawnAs }: ServerIdentity, initdb: string): Promise<string | undefined> {
  const [command = initdb, ...args] = [...prefix, initdb, '--show', '-D', '/nonexistent'];
  try {
    await promisify(execFile)(command, args, { cwd: '/', ...spawnAs });
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').join(' · ');
  }
}

/** Gives a directory and all in it to the owner; does nothing where the directory is theirs already. */
export async function giveTo(owner: { uid: number; gid: number } | undefined, directory: string): Promise<void> {
  if (owner === undefined || (await lstat(directory)).uid === owner.uid) return;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  // The directory itself comes last, so that an interrupted change is done again.
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) await chown(path.join(entry.parentPath, entry.name), owner.uid, owner.gid);
  }
  await chown(directory, owner.uid, owner.gid);
}

async function nobodyUser(): Promise<{ uid: number; gid: number }> {
  const users = await readFile('/etc/passwd', 'utf8');
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error(
      'PostgreSQL refuses to run as root, and there is no user `nobody`; set DATABASE_URL to a server of yours',
    );
  return { uid: Number(uid), gid: Number(gid) };
}
