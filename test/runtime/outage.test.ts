import { expect, test } from 'vitest';
import { KafkaUnavailableError } from '../../kafka/errors.ts';
import { OutageError } from '../../runtime/actor.ts';
import { Circuit, faultOf } from '../../runtime/outage.ts';

const coded = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ...[
    '08006',
    '57P01',
    '57P03',
    '42P01',
    '28P01',
    '53300',
    '58030',
    '25006',
    'ECONNREFUSED',
    'ECONNRESET',
    'CONNECTION_CLOSED',
  ].map(coded),
  new OutageError('provider'),
  new KafkaUnavailableError('broker'),
  new Error('while charging', { cause: coded('CONNECT_TIMEOUT') }),
  new AggregateError([coded('ECONNREFUSED')], ''),
])('an outage: %s', (error) => {
  expect(faultOf(error)).toBe('outage');
});

test.each([coded('40001'), coded('40P01')])('nobody is to blame: %s', (error) => {
  expect(faultOf(error)).toBe('conflict');
});

test.each([new TypeError('x is undefined'), coded('23514'), coded('57014'), coded('ENOENT'), 'text', undefined])(
  'the message is to blame: %s',
  (error) => {
    expect(faultOf(error)).toBe('message');
  },
);

test('an open circuit lets one probe pass when its back-off is over', () => {
  const circuit = new Circuit({ failuresToOpen: 1, backoffMs: 100, backoffMsMax: 300 });
  expect(circuit.tryPass(0)).toBe(true);
  expect(circuit.fail(0, 'down')).toBe(100);
  expect(circuit.fail(40, 'down')).toBe(60);
  expect(circuit.tryPass(99)).toBe(false);
  expect(circuit.tryPass(100)).toBe(true);
  expect(circuit.tryPass(100)).toBe(false);
  expect(circuit.fail(110, 'still down')).toBe(200);
  expect(circuit.tryPass(310)).toBe(true);
  expect(circuit.fail(310, 'still down')).toBe(300);
  expect(circuit.outage).toEqual({ since: 0, reason: 'still down' });
  circuit.succeed();
  expect(circuit.outage).toBeUndefined();
  expect(circuit.tryPass(311)).toBe(true);
  expect(circuit.fail(400, 'down again')).toBe(100);
});

test('a circuit opens after failures in a row, not after one now and then', () => {
  const circuit = new Circuit({ failuresToOpen: 3, backoffMs: 100, backoffMsMax: 300 });
  circuit.fail(0, 'slow');
  circuit.fail(1, 'slow');
  circuit.succeed();
  circuit.fail(2, 'slow');
  circuit.fail(3, 'slow');
  expect(circuit.outage).toBeUndefined();
  expect(circuit.tryPass(3)).toBe(true);
  expect(circuit.fail(4, 'down')).toBe(100);
  expect(circuit.outage).toEqual({ since: 4, reason: 'down' });
  expect(circuit.tryPass(5)).toBe(false);
});
