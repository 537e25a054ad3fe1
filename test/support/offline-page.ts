import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../../perf/load/chromium.ts';

export interface OfflinePage extends AsyncDisposable {
  page: Page;
  /** Errors, messages on the console, and requests for anything but the file. */
  complaints: string[];
}

/** Opens one HTML document from a file in Chromium. */
export async function openOffline(html: string): Promise<OfflinePage> {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-page-'));
  opened.defer(() => rm(directory, { recursive: true }));
  const browser = await launchBrowser();
  opened.defer(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => request.url().startsWith('file:') || complaints.push(request.url()));
  const file = path.join(directory, 'index.html');
  await writeFile(file, html);
  await page.goto(pathToFileURL(file).href);
  const owned = opened.move();
  return { page, complaints, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
