// Renders the chart with helm, and reads what comes out. Used by the tests of deploy/helm/.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { toolPath } from './tools.ts';

const run = promisify(execFile);
export const chart = new URL('../../../deploy/helm', import.meta.url).pathname;

export interface Container {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value: string }[];
  ports?: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string }[];
  [field: string]: unknown;
}

export interface PodSpec {
  containers: [Container];
  volumes: { name: string; secret: { secretName: string } }[];
  [field: string]: unknown;
}

export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: a resource is whatever the chart says; schemas check it
  spec: any;
  data?: Record<string, string>;
}

/** What `helm template` makes of the chart with these values. @throws with helm's words when it refuses them */
export async function render(values: object = {}): Promise<Resource[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-chart-'));
  try {
    const file = path.join(directory, 'values.yaml');
    await writeFile(file, stringify(values));
    const { stdout } = await run(toolPath('helm'), ['template', 'mesh', chart, '--values', file], {
      maxBuffer: 64 * 2 ** 20,
    });
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Resource | null)
      .filter((resource) => resource !== null);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The pods of Deployments and Jobs, by the name of the resource. */
export function pods(resources: readonly Resource[]): [string, PodSpec][] {
  return resources
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    .map(({ metadata, spec }) => [metadata.name, spec.template.spec as PodSpec]);
}

export function environment(pod: PodSpec): Record<string, string> {
  return Object.fromEntries(pod.containers[0].env.map(({ name, value }) => [name, value]));
}
