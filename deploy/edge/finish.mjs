// Prunes the packages of the agent, and makes the WebSocket addon of amd64 load on every glibc from 2.36 on, whatever this machine has. Run by
// build.sh in the folder of the package.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isKnownAddon, rebindAddon } from '../../stack/install/post-install.mjs';
import { prunePackages } from '../images/packages.mjs';

const modules = path.resolve('node_modules');
prunePackages(modules, process.execPath);
const directory = path.join(modules, 'uWebSockets.js');
for (const name of readdirSync(directory).filter((file) => file.endsWith('.node'))) {
  const bytes = readFileSync(path.join(directory, name));
  // Where this machine's glibc is older, the installation has rebound the addon already.
  if (!isKnownAddon(name, bytes)) continue;
  rebindAddon(name, bytes);
  writeFileSync(path.join(directory, name), bytes);
}
