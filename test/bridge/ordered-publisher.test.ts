import { expect, test } from 'vitest';
import { grpcFault, grpcStatus } from '../../bridge/pubsub/grpc-status.ts';
import {
  MessageRefusedError,
  PublishUnexplainedError,
  PubSubUnavailableError,
  publishFailure,
} from '../../bridge/pubsub/ordered-publisher.ts';
import { faultOf } from '../../runtime/outage.ts';

const refusal = (code: number | string) => Object.assign(new Error('no'), { code });

// The emulator refuses no content, so the status codes stand in for it (google.rpc.Code).
test.each([3, 11])('status %i speaks of the message: it is retried, then parked', (code) => {
  const failure = publishFailure(refusal(code));
  expect(failure).toBeInstanceOf(MessageRefusedError);
  expect(faultOf(failure)).toBe('message');
});

test.each([1, 4, 5, 7, 10, 12, 14, 16, 'ECONNREFUSED'])('%s is an outage: the partition waits', (code) => {
  const failure = publishFailure(refusal(code));
  expect(failure).toBeInstanceOf(PubSubUnavailableError);
  expect(faultOf(failure)).toBe('outage');
});

test.each([2, 6, 8, 9, 13, 15, 99, 'ERR_INVALID_ARG_TYPE', undefined])(
  '%s says neither: it waits, and is parked only if others come through meanwhile',
  (code) => {
    const failure = publishFailure(code === undefined ? new Error('no') : refusal(code));
    expect(failure).toBeInstanceOf(PublishUnexplainedError);
    expect(faultOf(failure)).toBe('outage');
  },
);

test('a failure tells of its last attempt, in its causes too', () => {
  const history = `: Previous errors : [{message: 14 UNAVAILABLE,\n code: 14},{message: 14 UNAVAILABLE, code: 14}]`;
  const failure = publishFailure(Object.assign(new Error(`14 UNAVAILABLE: no answer ${history}`), { code: 14 }));
  expect(failure.message).toBe('Pub/Sub did not take the message: 14 UNAVAILABLE: no answer');
  expect((failure.cause as Error).message).toBe('14 UNAVAILABLE: no answer');
});

test('every status code is decided', () => {
  expect(Object.values(grpcStatus)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  expect(Object.values(grpcStatus).filter((code) => grpcFault(code) === 'message')).toEqual([3, 11]);
});
