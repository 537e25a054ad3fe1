// Makes the root file system of the image: Node, the C libraries that it loads, the production packages and the code. Run by the Dockerfile
// in its build stage: node deploy/images/assemble.mjs DIRECTORY
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { prunePackages } from './packages.mjs';

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('give the directory to write to: node deploy/images/assemble.mjs DIRECTORY');
const app = process.cwd();
const modules = path.join(app, 'node_modules');
/** Numeric, as `runAsNonRoot` of Kubernetes can only check a number. */
const USER = 10_001;

directories();
const node = installNode();
prunePackages(modules, node);
copyApp();
const libraries = copyLibraries([node, ...addons()]);
recordPackages(libraries);
users();

function directories() {
  for (const name of ['etc', 'usr/lib', 'usr/lib64', 'usr/local/bin', 'var/lib/ordermesh', 'tmp'])
    mkdirSync(path.join(root, name), { recursive: true });
  for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, path.join(root, name));
  chmodSync(path.join(root, 'tmp'), 0o1777);
}

/** The Node of the lock file, which is the one that the tests ran on, and the command that starts on it. */
function installNode() {
  const binary = path.join(root, 'usr/local/bin/node');
  copyFileSync(realpathSync(path.join(modules, '.bin/node')), binary);
  chmodSync(binary, 0o755);
  const command = path.join(root, 'usr/local/bin/ordermesh');
  writeFileSync(command, "#!/usr/local/bin/node\nimport('/app/cli/main.ts');\n");
  chmodSync(command, 0o755);
  return binary;
}

function copyApp() {
  for (const name of readdirSync(app))
    if (name !== 'deploy') cpSync(path.join(app, name), path.join(root, 'app', name), { recursive: true });
}

function addons() {
  return readdirSync(modules, { recursive: true })
    .filter((name) => name.endsWith('.node'))
    .map((name) => path.join(modules, name));
}

/** Copies what the dynamic linker loads for these files. @returns the paths of the libraries in the build stage */
function copyLibraries(files) {
  const found = new Set();
  for (const file of files) {
    const text = execFileSync('ldd', [file], { encoding: 'utf8' });
    if (text.includes('not found')) throw new Error(`${file} needs a library that the base image lacks:\n${text}`);
    for (const [library] of text.matchAll(/\/\S+\.so\S*/g)) found.add(library);
  }
  for (const library of found) {
    // Debian's /lib and /lib64 are links into /usr, as they are in the image.
    const target = path.join(root, library.replace(/^\/(lib|lib64)\//, '/usr/$1/'));
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(realpathSync(library), target);
    chmodSync(target, 0o755);
  }
  return [...found];
}

/** Says which Debian packages the libraries are of, where scanners of images look, and keeps their licences. */
function recordPackages(libraries) {
  if (!existsSync('/var/lib/dpkg/status')) return;
  const owners = new Set();
  for (const library of libraries) {
    const { stdout } = spawnSync('dpkg-query', ['--search', realpathSync(library)], { encoding: 'utf8' });
    const [owner] = (stdout ?? '').split(':');
    if (owner) owners.add(owner);
  }
  mkdirSync(path.join(root, 'var/lib/dpkg/status.d'), { recursive: true });
  for (const owner of owners) {
    const status = execFileSync('dpkg-query', ['--status', owner], { encoding: 'utf8' });
    writeFileSync(path.join(root, 'var/lib/dpkg/status.d', owner), status);
    const licence = path.join('/usr/share/doc', owner, 'copyright');
    if (!existsSync(licence)) continue;
    mkdirSync(path.join(root, path.dirname(licence)), { recursive: true });
    copyFileSync(realpathSync(licence), path.join(root, licence));
  }
  copyFileSync(realpathSync('/etc/os-release'), path.join(root, 'etc/os-release'));
}

function users() {
  const etc = (name, text) => writeFileSync(path.join(root, 'etc', name), text);
  etc('passwd', `root:x:0:0:root:/:/sbin/nologin\nordermesh:x:${USER}:${USER}::/var/lib/ordermesh:/sbin/nologin\n`);
  etc('group', `root:x:0:\nordermesh:x:${USER}:\n`);
  etc('nsswitch.conf', 'hosts: files dns\n');
  execFileSync('chown', ['-R', `${USER}:${USER}`, path.join(root, 'var/lib/ordermesh')]);
}
