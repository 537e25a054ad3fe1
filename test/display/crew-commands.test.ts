import { expect, test } from 'vitest';
import { CrewCommands } from '../../display/crew-commands.ts';
import { KafkaSetupError, KafkaUnavailableError, RecordTooLargeError } from '../../kafka/index.ts';
import type { Ticket } from '../../store/tickets/ticket-board.ts';

const ticket = { orderId: 'a', storeId: 's', state: 'open', round: 1, total: 1, currency: 'USD' } as Ticket;

test.each([
  [new KafkaUnavailableError('not acknowledged within the deadline'), 'command-unconfirmed', /^(?!.*stays as it is)/],
  [new Error('an unexpected error'), 'command-unconfirmed', /^(?!.*stays as it is)/],
  [new KafkaSetupError('topic does not exist'), 'log-unavailable', /stays as it is/],
  [new RecordTooLargeError('too large'), 'log-unavailable', /stays as it is/],
])('says that the ticket stays as it is only when the log has said no: %s', async (error, code, detail) => {
  const outages: Error[] = [];
  const commands = new CrewCommands({
    read: async () => ticket,
    producer: { send: () => Promise.reject(error) } as never,
    clock: { now: () => 0 },
    onOutage: (outage) => outages.push(outage),
    onStored: () => expect.unreachable(),
  });
  const fault = await commands.run({ id: 1, type: 'bump', orderId: 'a', round: 1 }, 's');
  expect(fault).toMatchObject({ code, status: 503, detail: expect.stringMatching(detail) });
  expect(outages).toEqual([error]);
});
