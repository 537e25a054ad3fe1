import { expect, test, vi } from 'vitest';
import type { Instance } from '../../stack/server.ts';
import { SupervisedServer } from '../../stack/supervised-server.ts';

/** A server whose processes end when the test says so. */
function instances() {
  const ends: ((reason: string) => void)[] = [];
  const make = (): Instance => {
    const { promise, resolve } = Promise.withResolvers<string>();
    ends.push(resolve);
    return {
      record: { name: 'pubsub', pid: ends.length, startedAt: 1, signal: 'SIGTERM' } as unknown as Instance['record'],
      stop: async () => {},
      ended: promise,
    };
  };
  return { ends, make };
}

test('a restart that cannot be noted on a full disk is said once, and the server is supervised further', async () => {
  const { ends, make } = instances();
  const lines: string[] = [];
  const server = new SupervisedServer(
    { instance: make(), launch: async () => make(), answers: undefined, log: 'pubsub.log', isClosing: () => false },
    {
      say: (line) => lines.push(line),
      title: () => 'Pub/Sub emulator',
      onRestart() {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
    },
  );
  const served = (times: number) =>
    vi.waitFor(() => expect(lines.filter((line) => line.includes('serves again'))).toHaveLength(times), 20_000);
  ends[0]?.('it was ended by SIGKILL');
  await served(1);
  ends[1]?.('it was ended by SIGKILL');
  await served(2);
  expect(server.record.pid).toBe(3);
  expect(lines.filter((line) => line.includes('ENOSPC'))).toEqual([
    'Pub/Sub emulator was started again as process 2, which could not be noted: ENOSPC: no space left on device, write',
  ]);
  await server.stop();
});
