// Checks resources against schemas that come from packages: kubeconform for those of Kubernetes, compiled definitions for those of KEDA and
// Prometheus, Strimzi's own model for those of Strimzi. Used by chart.integration.test.ts.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import type { Resource } from './render.ts';
import { toolPath } from './tools.ts';

/** The newest version of Kubernetes in the package. */
const VERSION = 'v1.37.0';

const reader = new URL('strimzi/ReadStrimzi.java', import.meta.url).pathname;

/** What is wrong, one line a fault; empty when all is right. */
export async function faultsOf(resources: readonly Resource[]): Promise<string> {
  const of = (isOne: (group: string) => boolean) =>
    resources.filter(({ apiVersion }) => isOne(apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : ''));
  const ofOperator = (group: string) => group === 'keda.sh' || group === 'monitoring.coreos.com';
  const ofStrimzi = (group: string) => group === 'kafka.strimzi.io';
  const answers = await Promise.all([
    kubeconform(of((group) => !ofOperator(group) && !ofStrimzi(group))),
    operators(of(ofOperator)),
    strimzi(of(ofStrimzi)),
  ]);
  return answers.filter(Boolean).join('\n');
}

/** Strict: a field that Kubernetes does not know is a fault. */
async function kubeconform(resources: readonly Resource[]): Promise<string> {
  const packaged = path.join(
    toolPath('kubernetes'),
    `kubernetes_validate/kubernetes-json-schema/${VERSION}-local-strict/_definitions.json`,
  );
  const { $defs } = JSON.parse((await readFile(packaged, 'utf8')).replaceAll('/api/_definitions.json#', '#'));
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-schemas-'));
  try {
    for (const { kind, apiVersion } of resources) {
      const [version, group = 'core'] = apiVersion.split('/').reverse() as [string, string?];
      const [short] = group.split('.');
      const name = `${kind.toLowerCase()}${group === 'core' ? '' : `-${short}`}-${version}.json`;
      const $ref = `#/$defs/io.k8s.api.${short}.${version}.${kind}`;
      await writeFile(path.join(directory, name), JSON.stringify({ $ref, $defs }));
    }
    const file = path.join(directory, 'resources.yaml');
    await writeFile(file, resources.map((resource) => stringify(resource)).join('---\n'));
    const location = `${directory}/{{.ResourceKind}}{{.KindSuffix}}.json`;
    return await new Promise((resolve) =>
      execFile(toolPath('kubeconform'), ['-strict', '-schema-location', location, file], (error, stdout, stderr) =>
        resolve(error === null ? '' : `${stdout}${stderr}`),
      ),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const definitions: Record<string, string> = {
  ScaledObject: 'keda/_schemas/ComGithubKedacoreKedaV2ApisKedaV1alpha1ScaledObject.js',
  TriggerAuthentication: 'keda/_schemas/ComGithubKedacoreKedaV2ApisKedaV1alpha1TriggerAuthentication.js',
  ServiceMonitor:
    'prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1ServiceMonitor.js',
  PrometheusRule:
    'prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1PrometheusRule.js',
};

interface Validator {
  validate: ((resource: Resource) => boolean) & { errors?: unknown };
}

async function operators(resources: readonly Resource[]): Promise<string> {
  const faults: string[] = [];
  for (const resource of resources) {
    const definition = definitions[resource.kind];
    if (definition === undefined) throw new Error(`${resource.kind} has no definition here; add one`);
    const file = path.join(toolPath('operators'), 'node_modules/@kubernetes-models', definition);
    const { validate } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Validator;
    if (!validate(resource))
      faults.push(`${resource.kind} ${resource.metadata.name}: ${JSON.stringify(validate.errors)}`);
  }
  return faults.join('\n');
}

async function strimzi(resources: readonly Resource[]): Promise<string> {
  if (resources.length === 0) return '';
  const child = spawn('java', ['-cp', `${toolPath('strimzi')}/*`, reader], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(resources));
  const [code, stdout, stderr] = await Promise.all([
    new Promise((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return code === 0 ? '' : `${stdout}${stderr}`;
}
