import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../contracts/config/config.ts';
import { defaultAdminPort, type RoleName, roles } from '../../contracts/roles.ts';

interface Service {
  image: string;
  command?: string[];
  environment: Record<string, string>;
  secrets?: string[];
  depends_on?: Record<string, unknown>;
  healthcheck?: { test: string[] };
  profiles?: string[];
  [field: string]: unknown;
}

const read = (file: string) => readFileSync(new URL(`../../deploy/compose/${file}`, import.meta.url), 'utf8');
const compose = parse(read('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, object>;
};
const ours = Object.entries(compose.services).filter(([, { image }]) => image.includes('ordermesh'));

test('has every role but the edge and the mirror, and what prepares them', () => {
  const running = roles.filter((role) => role !== 'edge' && role !== 'mirror');
  expect(ours.map(([name]) => name).sort()).toEqual([...running, 'migrate', 'topics'].sort());
  for (const role of running) {
    const command = ['order-validator', 'payment', 'kitchen'].includes(role) ? ['worker', role] : [role];
    expect(compose.services[role]?.command).toEqual(command);
  }
});

test('gives each role variables that the configuration takes, and no secret as a value', () => {
  for (const [name, { environment }] of ours) {
    const asGiven = Object.entries(environment).map(([variable, value]): [string, string] => [
      variable,
      String(value).replace(/^\$\{\w+:-(.*)\}$/, '$1'),
    ]);
    const files = asGiven.filter(([, value]) => value.startsWith('/run/secrets/'));
    for (const [, value] of files) expect(compose.services[name]?.secrets).toContain(value.split('/').at(-1));
    expect(() => loadConfig(Object.fromEntries(asGiven.filter((entry) => !files.includes(entry)))), name).not.toThrow();
    for (const [variable] of asGiven) expect(variable).not.toMatch(/(PASSWORD|TOKEN|SECRET|_URL)$/);
  }
});

test('runs each role without rights, and asks its readiness', () => {
  for (const [name, service] of ours) {
    expect(service, name).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    if (service.healthcheck === undefined) continue;
    expect(service.healthcheck.test.join(' ')).toContain(`:${defaultAdminPort(name as RoleName)}/readyz`);
  }
});

test('names services, secrets and volumes that are there', () => {
  for (const { depends_on = {}, secrets = [], volumes = [] } of Object.values(compose.services)) {
    for (const name of Object.keys(depends_on)) expect(compose.services).toHaveProperty(name);
    for (const name of secrets) expect(compose.secrets).toHaveProperty(name);
    for (const volume of volumes as string[])
      if (!volume.startsWith('.')) expect(compose.volumes).toHaveProperty(volume.split(':')[0] as string);
  }
  for (const name of Object.keys(compose.secrets)) expect(read('make-secrets.sh')).toContain(`secrets/${name}\n`);
});

test('Prometheus scrapes every role that runs by itself', () => {
  for (const [name, { profiles, healthcheck }] of ours)
    if (profiles === undefined && healthcheck !== undefined)
      expect(read('prometheus.yml')).toContain(`- ${name}:${defaultAdminPort(name as RoleName)}\n`);
});
