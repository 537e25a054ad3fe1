import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ordermesh, peers } from '../../perf/peers/same-work/peers.ts';
import { Works } from '../../perf/peers/same-work/works.ts';
import { testsAreSecured } from '../support/own-broker.ts';
import { createTestDatabase, servers, uniqueName } from '../support/servers.ts';

const RECORDS = 3_000;
/** Those that need no tool chain but Node. The others run with `perf/main.ts --only peers`, which judges them as well. */
const onNode = ['ordermesh', 'bare_loop', 'kafkajs', 'platformatic_kafka'];

// Peers know neither TLS nor users.
test.skipIf(testsAreSecured)('every program decides each event once, in the order of its key', async () => {
  const { cluster } = servers();
  await using database = await createTestDatabase();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'same-work-'));
  const env = {
    KAFKA_BROKERS: cluster.brokers.join(','),
    DATABASE_URL: database.url,
    ORDERMESH_DATA_DIR: dataDir,
    ORDERMESH_SLOTS: '2',
  };
  const works = new Works(env.KAFKA_BROKERS, uniqueName('same-work'));
  try {
    const work = await works.of(RECORDS);
    for (const peer of [ordermesh, ...peers].filter(({ name }) => onNode.includes(name))) {
      const { records, seconds, processorSeconds } = await works.run(await peer.prepare(), work, env);
      expect.soft({ records, name: peer.name }).toEqual({ records: RECORDS, name: peer.name });
      expect(seconds * processorSeconds).toBeGreaterThan(0);
    }
  } finally {
    await works.close();
    await rm(dataDir, { recursive: true });
  }
});
