// Builds the image as `make images` does. Used by the tests that run it.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The image that the tests build and run. */
export const imageTag = version;
export const imageName = `localhost/ordermesh:${version}`;

/** @returns what the build says @throws with it when the build fails */
export async function buildImage(env: NodeJS.ProcessEnv): Promise<string> {
  const script = new URL('../../deploy/images/build.sh', import.meta.url).pathname;
  const child = spawn('sh', [script], { env: { ...env, BUILDER: 'podman' }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [code, stdout, stderr] = await Promise.all([
    new Promise((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code !== 0) throw new Error(`the image was not built:\n${stdout}${stderr}`);
  return stdout;
}
