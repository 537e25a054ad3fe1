import { expect, test, vi } from 'vitest';
import { plainCluster } from '../../../contracts/config/kafka-cluster.ts';
import { watchLiveness } from '../../../lab/chaos/liveness/watch.ts';

test('brokers that do not answer are said once: without positions nothing is judged', async () => {
  const lines: string[] = [];
  const watch = watchLiveness({
    cluster: plainCluster(['127.0.0.1:1']),
    roles: () => [],
    directory: '/nowhere',
    accepted: () => 0,
    say: (line) => lines.push(line),
  });
  await vi.waitFor(() => expect(lines).not.toEqual([]), { timeout: 60_000, interval: 50 });
  await watch.close();
  expect(lines).toEqual([expect.stringMatching(/^the brokers do not tell the positions, so nothing is judged: ./)]);
}, 90_000);
