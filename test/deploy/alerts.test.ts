import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultAdminPort, roles } from '../../contracts/roles.ts';

const read = (file: string) => readFileSync(new URL(`../../deploy/prometheus/${file}`, import.meta.url), 'utf8');

test('alerts use metrics that the code has', () => {
  const code = globSync('{actors,bridge,display,edge,gateway,region,runtime,telemetry}/**/*.ts')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const used = read('alerts.yml').match(/ordermesh_[a-z_]+/g) ?? [];
  expect(used.length).toBeGreaterThan(0);
  // A histogram named once is scraped as three series.
  const metrics = used.map((name) => name.replace(/_(sum|count|bucket)$/, ''));
  for (const metric of metrics) expect(code).toMatch(new RegExp(`\\b${metric}\\b`));
});

test('the scrape configuration has every role of a region', () => {
  for (const role of roles.filter((role) => role !== 'edge'))
    expect(read('prometheus.yml')).toContain(`:${defaultAdminPort(role)} # ${role}\n`);
});
