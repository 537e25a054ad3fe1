import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GatewayMetrics } from '../../gateway/metrics.ts';
import { Admission } from '../../gateway/orders/admission.ts';
import { createProcessRegistry, mergedScrape, snapshot } from '../../telemetry/metrics.ts';
import { type LintedMetric, metricsOf, promlint } from './promlint.ts';

test('the linter finds what promtool finds', () => {
  const broken = metricsOf(
    [
      '# HELP a_total x\n# TYPE a_total gauge',
      '# HELP requests x\n# TYPE requests counter',
      '# TYPE bare gauge',
      '# HELP c_ms x\n# TYPE c_ms gauge',
      '# HELP wait_milliseconds x\n# TYPE wait_milliseconds gauge',
      '# HELP edge:up x\n# TYPE edge:up gauge',
      '# HELP orders_count x\n# TYPE orders_count gauge',
      '# HELP queue_gauge x\n# TYPE queue_gauge gauge',
      '# HELP fine_seconds x\n# TYPE fine_seconds histogram',
    ].join('\n'),
  );
  expect(promlint(broken).map((fault) => fault.split(' ', 1)[0])).toEqual([
    'a_total',
    'requests',
    'bare',
    'c_ms',
    'wait_milliseconds',
    'edge:up',
    'orders_count',
    'queue_gauge',
  ]);
});

test('the metrics of a process are clean, alone and summed over processes', async () => {
  const registry = createProcessRegistry('gateway');
  const admission = new Admission({ ordersMax: 1, bytesMax: 1, ageMsMax: 1, clock: Date });
  new GatewayMetrics().register(registry, admission);
  const alone = metricsOf(await registry.metrics());
  expect(alone.length).toBeGreaterThan(20);
  expect(promlint(alone)).toEqual([]);
  expect(promlint(metricsOf(await mergedScrape([await snapshot(registry), await snapshot(registry)])))).toEqual([]);
});

/** A metric as it is declared in the source: the class, and then its name and help as literals. */
const DECLARATION =
  /new (Counter|Gauge|Histogram|Summary)(?:<[^>]*>)?\(\{\s*name: ['`]([^'`]+)['`],\s*help:\s*(?:['"`]([^'"`]*)|help)/g;

test('every metric that a role declares is clean', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const rooms = '{actors,bridge,display,edge,gateway,kafka,region,runtime,store,telemetry}/**/*.ts';
  const declared = globSync(rooms, { cwd: root }).flatMap((file): LintedMetric[] =>
    [...readFileSync(`${root}/${file}`, 'utf8').matchAll(DECLARATION)].map(
      ([, type = '', name = '', help = 'given']) => ({
        type: type.toLowerCase(),
        name: name.replaceAll(/\$\{\w+\}/g, 'x'),
        help,
      }),
    ),
  );
  expect(declared.length).toBeGreaterThan(40);
  expect(promlint(declared)).toEqual([]);
});
