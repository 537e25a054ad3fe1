import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { issueToken } from '../../gateway/identity/index.ts';
import { createAdmin } from '../../kafka/index.ts';
import { createTraffic } from '../../lab/traffic/index.ts';
import { program, startProgram } from '../../perf/child.ts';
import { choosePorts } from '../../stack/index.ts';
import { testsAreSecured } from '../support/own-broker.ts';
import { kafkaEnvironment, servers, uniqueName } from '../support/servers.ts';

// Peers know neither TLS nor users.
test.skipIf(testsAreSecured)(
  'the peer of the gateway takes the orders that the gateway takes, and refuses what its schema refuses',
  async () => {
    const { cluster } = servers();
    const topic = uniqueName('peer');
    const admin = await createAdmin({ clientId: 'peer-test', cluster });
    const dataDir = await mkdtemp(path.join(tmpdir(), 'peer-'));
    const env = { ORDERMESH_DATA_DIR: dataDir, ...kafkaEnvironment() };
    try {
      await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
      const { body, storeId } = createTraffic({ seed: 1 }).order(Date.now());
      const token = await issueToken({ config: loadConfig(env), store: storeId });
      const { port } = await choosePorts(['port'], {});
      await using _peer = await startProgram(program('perf/peers/fastify-kafkajs/gateway.ts'), [topic, String(port)], {
        env,
        ready: (child) => once(child, 'message'),
      });
      const post = async (content: string) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const { status } = await fetch(`http://127.0.0.1:${port}/v1/orders`, {
          method: 'POST',
          headers,
          body: content,
        });
        return status;
      };
      expect(await post(body)).toBe(202);
      expect(await post(JSON.stringify({ ...JSON.parse(body), placedAt: '2026-11-22T10:00:00-06' }))).toBe(400);
      expect(await admin.offsets(topic)).toEqual([{ partition: 0, earliest: 0, latest: 1 }]);
    } finally {
      await admin.deleteTopics([topic]);
      await admin.close();
      await rm(dataDir, { recursive: true });
    }
  },
);
