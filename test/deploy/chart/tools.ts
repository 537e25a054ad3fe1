// The tools that .ci/deploy-tools.sh installs: helm, kubeconform and the schemas of what the chart makes. Used by the tests of deploy/helm/.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const directory = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'ordermesh/deploy-tools');

/** By the name of a tool the file or folder that is there once the tool is complete. */
const files = {
  helm: 'bin/helm',
  kubeconform: 'bin/kubeconform',
  kubernetes: 'kubernetes',
  operators: 'operators',
  strimzi: 'strimzi',
} as const;

type Tool = keyof typeof files;

const POLL_MS = 1_000;

export function toolPath(tool: Tool): string {
  return path.join(directory, files[tool]);
}

/** Whether the tests of the chart can run here. Continuous integration builds the tools beside the first tests, so there it can. */
export const hasTools =
  process.env.CI === 'true' || (Object.keys(files) as Tool[]).every((tool) => existsSync(toolPath(tool)));

/** Waits until the tools are built; the time limit of the caller ends the wait. */
export async function toolsReady(): Promise<void> {
  for (const tool of Object.keys(files) as Tool[]) while (!existsSync(toolPath(tool))) await delay(POLL_MS);
}
