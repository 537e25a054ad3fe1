// Collects the scripts of d3-flame-graph and of the packages that it needs, for a page without a network. Used by flame-page.ts.

import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = 'd3-flame-graph';
/** The package names no script for a browser in its package.json, as those of d3 do. */
const ROOT_SCRIPT = 'dist/d3-flamegraph.umd.min.js';

interface Package {
  jsdelivr?: string;
  dependencies?: Record<string, string>;
}

/** One script, with each package behind those that it needs. */
export async function flameLibraries(): Promise<string> {
  const scripts = new Map<string, string>();
  const add = async (name: string, from: string): Promise<void> => {
    const file = findPackageJSON(name, from);
    if (file === undefined) throw new Error(`the package ${name} is not installed: npm ci`);
    if (scripts.has(file)) return;
    const { jsdelivr = ROOT_SCRIPT, dependencies = {} } = JSON.parse(await readFile(file, 'utf8')) as Package;
    for (const dependency of Object.keys(dependencies)) await add(dependency, pathToFileURL(file).href);
    scripts.set(file, await readFile(path.join(path.dirname(file), jsdelivr), 'utf8'));
  };
  await add(ROOT, import.meta.url);
  return [...scripts.values()].join('\n');
}
