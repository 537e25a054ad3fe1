import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Without a browser its tests are skipped by name; where `CI` is set they fail instead. */
export const skipWithoutBrowser = !existsSync(executablePath) && process.env.CI === undefined;

/** A headless Chromium with a fresh profile that talks to nobody but the page's server. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
