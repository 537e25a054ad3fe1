import { expect, test } from 'vitest';
import { KafkaSetupError, KafkaUnavailableError, RecordRefusedError } from '../../kafka/errors.ts';
import { OutageError } from '../../runtime/actor.ts';
import { Circuit, describeError, faultOf, strikesSome } from '../../runtime/outage.ts';

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
    '55P03',
    '57014',
    '0A000',
    'XX001',
    'EMFILE',
    'CERT_HAS_EXPIRED',
    'UND_ERR_HEADERS_TIMEOUT',
  ].map(coded),
  new OutageError('provider'),
  new KafkaUnavailableError('broker'),
  new KafkaSetupError('topic t does not exist'),
  AbortSignal.abort(new DOMException('too late', 'TimeoutError')).reason,
  new Error('while charging', { cause: coded('CONNECT_TIMEOUT') }),
  new AggregateError([coded('ECONNREFUSED')], ''),
])('an outage: %s', (error) => {
  expect(faultOf(error)).toBe('outage');
});

test.each([coded('40001'), coded('40P01')])('a conflict blames neither message nor server: %s', (error) => {
  expect(faultOf(error)).toBe('conflict');
});

test.each([
  new TypeError('x is undefined'),
  new RecordRefusedError('too large'),
  coded('23514'),
  coded('22021'),
  coded('P0001'),
  coded('ENOENT'),
  'text',
  undefined,
])('the message is to blame: %s', (error) => {
  expect(faultOf(error)).toBe('message');
});

test.each([coded('55P03'), coded('57014'), coded('XX001'), new Error('while writing', { cause: coded('0A000') })])(
  'may strike a few messages only: %s',
  (error) => {
    expect(strikesSome(error)).toBe(true);
  },
);

test.each([coded('57P01'), coded('53100'), coded('ECONNRESET'), coded('23505'), new OutageError('provider')])(
  'strikes all or none: %s',
  (error) => {
    expect(strikesSome(error)).toBe(false);
  },
);

test('an error is described with its code and what caused it, once', () => {
  const cause = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
  expect(describeError(new OutageError('the ledger does not work', { cause }))).toBe(
    'OutageError: the ledger does not work, caused by Error 55P03: canceling statement due to lock timeout',
  );
  expect(describeError(new OutageError(`no ledger: ${cause.message}`, { cause }))).toBe(
    'OutageError: no ledger: canceling statement due to lock timeout',
  );
});

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
