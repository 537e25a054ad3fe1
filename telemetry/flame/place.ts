// Where a frame of a profile stands: its file without what differs from machine to machine. Used by fold.ts.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = 'node_modules/';

/** By URL; a profile has few files. */
const places = new Map<string, string>();

/**
 * A file of the program by its path from the root, a package's as `node_modules/…`, Node's own by its URL (`node:net`).
 * The role may run in another directory, such as that of an image: then the longest end of its path that is a file here counts.
 */
export function placeOf(url: string): string {
  let place = places.get(url);
  if (place === undefined) {
    place = find(url);
    places.set(url, place);
  }
  return place;
}

function find(url: string): string {
  // V8 has a URL for a module of ECMAScript and a path for one of CommonJS.
  const file = url.startsWith('file://') ? fileURLToPath(url) : url;
  if (!file.startsWith('/')) return file;
  const modules = file.lastIndexOf(MODULES);
  if (modules >= 0) return file.slice(modules);
  if (file.startsWith(root)) return file.slice(root.length);
  for (let slash = file.indexOf('/'); slash >= 0; slash = file.indexOf('/', slash + 1)) {
    const end = file.slice(slash + 1);
    if (end.includes('/') && existsSync(`${root}${end}`)) return end;
  }
  return file;
}
