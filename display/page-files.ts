import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { stripTypes } from '../telemetry/strip-types.ts';

const directory = new URL('./page/', import.meta.url);

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
};

export interface PageFile {
  contentType: string;
  body: Buffer;
  etag: string;
}

/** The files of the page by name, read once. Types are stripped from the TypeScript files here, so the page needs no build step. */
export async function loadPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await readdir(directory)) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const source = await readFile(new URL(name, directory));
    const body = name.endsWith('.ts') ? Buffer.from(stripTypes(source.toString())) : source;
    files.set(name, {
      contentType,
      body,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    });
  }
  return files;
}
