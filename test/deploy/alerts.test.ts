import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultAdminPort, roles } from '../../contracts/roles.ts';

const read = (file: string) => readFileSync(new URL(`../../deploy/prometheus/${file}`, import.meta.url), 'utf8');

test('alerts use metrics that the code has', () => {
  const code = globSync('{actors,bridge,display,edge,gateway,kafka,region,runtime,store,telemetry}/**/*.ts')
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

/** The alerts by name, each with its text in alerts.yml. */
const alerts = new Map(
  read('alerts.yml')
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((text): [string, string] => [text.split('\n', 1)[0] ?? '', text]),
);

test.each([...alerts.keys()])('%s links to a page of its symptom, which names it', (alert) => {
  const [, page] =
    /^ {10}runbook_url: "\{\{ \$externalLabels\.runbooks \}\}(docs\/[^"#]+\.md)"$/m.exec(alerts.get(alert) ?? '') ?? [];
  expect(page, `${alert} needs the annotation runbook_url, as the other alerts have`).toBeDefined();
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  expect(text).toMatch(new RegExp(`\\b${alert}\\b`));
});

test('every page of a symptom is in the list of symptoms', () => {
  const list = readFileSync('docs/operations/symptoms/README.md', 'utf8');
  for (const page of globSync('docs/operations/symptoms/*.md').map((file) => file.split('/').at(-1) ?? ''))
    if (page !== 'README.md') expect(list).toContain(`](${page})`);
});
