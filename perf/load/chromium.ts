// Launches a headless Chromium. Used by ticket-latency.ts and by the browser tests of the display.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether there is a Chromium to launch: `CHROMIUM`, or where Debian puts it. */
export function hasChromium(): boolean {
  return existsSync(executablePath);
}

/** A headless Chromium with a fresh profile that talks only to the page's server. */
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
