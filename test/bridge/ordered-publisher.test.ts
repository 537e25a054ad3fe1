import { expect, test } from 'vitest';
import { MessageRefusedError, PubSubUnavailableError, publishFailure } from '../../bridge/ordered-publisher.ts';
import { faultOf } from '../../runtime/outage.ts';

const refusal = (code: number | string) => Object.assign(new Error('no'), { code });

// The emulator refuses no content, so the status codes stand in for it (google.rpc.Code).
test.each([3, 11])('status %i speaks of the message: it is retried, then parked', (code) => {
  const failure = publishFailure(refusal(code));
  expect(failure).toBeInstanceOf(MessageRefusedError);
  expect(faultOf(failure)).toBe('message');
});

test.each([1, 2, 4, 5, 7, 8, 10, 13, 14, 16, 'ECONNREFUSED'])('%s is an outage: the partition waits', (code) => {
  const failure = publishFailure(refusal(code));
  expect(failure).toBeInstanceOf(PubSubUnavailableError);
  expect(faultOf(failure)).toBe('outage');
});
