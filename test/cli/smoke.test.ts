import { expect, test } from 'vitest';
import { shortfallsOf } from '#cli/load/smoke-run.ts';
import { judge } from '../../audit/judgement.ts';
import type { SendReport } from '../../lab/traffic/sender.ts';
import { createAuditLog } from '../audit/audit-log.ts';

const report = { sent: 1, accepted: 1, refused: {}, retried: 0, unanswered: 0 } as unknown as SendReport;

test('a smoke run whose orders all came to their end has no shortfall', () => {
  const log = createAuditLog();
  log.served('a');
  expect(shortfallsOf({ verdict: judge(log.evidence()), report, settled: true })).toEqual([]);
});

test('a smoke run that was not finished, has orders in flight or was not answered is no proof', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  const { frontiers } = log.evidence();
  const verdict = judge(log.evidence({ frontiers: { ...frontiers, payment: new Map() } }));
  const outcome = { verdict, report: { ...report, accepted: 0, unanswered: 1 }, settled: false };
  expect(shortfallsOf(outcome)).toEqual([
    'the gateway did not take every order: see the orders refused and unanswered above',
    'not everything is finished after 180 s',
    '1 steps of orders are in flight',
  ]);
});
