// Servers in Stripe's place: localstripe, which keeps what it is told, and stripe-mock, which knows the shape of requests.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../../contracts/config/config.ts';
import { goProgram, installOnce, run, systemPython, userCacheDir } from '../../../../stack/index.ts';

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

export interface LocalServer extends AsyncDisposable {
  url: string;
}

/** https://github.com/adrienverge/localstripe in a Python environment of its own, kept in the user's cache. */
export async function startLocalStripe(): Promise<LocalServer> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 8);
  const directory = await installOnce(await userCacheDir(loadConfig()), `localstripe-${digest}`, async (target) => {
    const options = { doing: 'installing localstripe', missing: 'no Python with venv' };
    await run(await systemPython(), ['-m', 'venv', target], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
    await run(join(target, 'bin/python'), pip, options);
  });
  // Started as a module: after a move of the environment, its scripts have the old path.
  return await start(join(directory, 'bin/python'), (port) => ['-m', 'localstripe', '--from-scratch', '--port', port]);
}

/** https://github.com/stripe/stripe-mock: answers with fixtures, and refuses what Stripe's own description of its API does not know. */
export async function startStripeMock(): Promise<LocalServer> {
  const binary = await goProgram(await userCacheDir(loadConfig()), {
    name: 'stripe-mock',
    version: '0.203.0',
    package: 'github.com/stripe/stripe-mock',
  });
  return await start(binary, (port) => ['-http-port', port]);
}

async function start(command: string, args: (port: string) => string[]): Promise<LocalServer> {
  const port = await freePort();
  const child = spawn(command, args(String(port)), { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2_000);
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child, () => complaint);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Any answer will do. */
async function answers(url: string, child: ChildProcess, complaint: () => string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${url} does not answer: ${complaint()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
