import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { TestScreen } from '../display/test-screen.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { buildImage, imageName } from './built-image.ts';
import { hasTools, toolsReady } from './chart/tools.ts';
import { KubeMesh } from './kube-mesh.ts';
import { hasPodman, Podman } from './podman.ts';

const locked = ['run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'all'];

// One file, one image: a build takes minutes.
describe.skipIf(!hasPodman)('the image', () => {
  let podman: Podman;
  beforeAll(async () => {
    podman = new Podman();
    await buildImage(podman.env);
  }, 900_000);
  afterAll(() => podman?.[Symbol.dispose]());

  test('is under 250 MB, has labels and its own user', async () => {
    const [image] = JSON.parse(await podman.run(['image', 'inspect', imageName]));
    expect(image.Size).toBeLessThan(250_000_000);
    expect(image.Size).toBeGreaterThan(100_000_000);
    expect(image.Config.User).toBe('10001:10001');
    expect(image.Labels).toMatchObject({
      'org.opencontainers.image.title': 'ordermesh',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$|^unknown$/),
    });
  });

  test('runs a command without rights, on a file system that cannot be written', async () => {
    const order = JSON.parse(await podman.run([...locked, imageName, 'orders', 'sample', '--count', '1']));
    expect(order).toMatchObject({ storeId: expect.any(String), items: expect.any(Array) });
  });

  test('has no shell, no package manager, no compiler and no embedded server', async () => {
    const look = `const { readdirSync } = require('node:fs');
      const roots = readdirSync('/').filter((name) => !['proc', 'sys', 'dev', 'run'].includes(name));
      const inside = (root) => readdirSync('/' + root, { recursive: true }).map((name) => root + '/' + name);
      console.log(JSON.stringify(roots.flatMap(inside)));`;
    const node = ['--entrypoint', '/usr/local/bin/node', imageName];
    const files = JSON.parse(await podman.run([...locked, ...node, '-e', look])) as string[];
    const names = new Set(files.map((file) => file.split('/').at(-1)));
    expect(files.length).toBeGreaterThan(500);
    for (const name of [
      'sh',
      'bash',
      'dash',
      'busybox',
      'npm',
      'npx',
      'apt-get',
      'dpkg-query',
      'gcc',
      'cc',
      'python3',
      'initdb',
    ])
      expect(names).not.toContain(name);
    // The addon of this platform, and no other.
    expect(files.filter((file) => /uws_.*\.node$/.test(file))).toHaveLength(1);
    expect(files.filter((file) => file.startsWith('app/')).filter((file) => file.endsWith('.d.ts'))).toEqual([]);
  });

  test('a role says in the log what it misses, and ends', async () => {
    await expect(podman.run([...locked, imageName, 'gateway'])).rejects.toThrow('KAFKA_BROKERS not set');
  });

  describe.skipIf(!hasTools)('in the pods of the Helm chart', () => {
    let broker: OwnBroker;
    let database: TestDatabase;
    let mesh: KubeMesh;
    beforeAll(async () => {
      await toolsReady();
      [broker, database] = await Promise.all([startOwnBroker(), createTestDatabase()]);
      mesh = await KubeMesh.prepare(podman, { broker: broker.address, databaseUrl: database.url });
    }, 1_500_000);
    afterAll(async () => {
      await mesh?.[Symbol.asyncDispose]();
      await broker?.[Symbol.asyncDispose]();
      await database?.[Symbol.asyncDispose]();
    }, 120_000);

    test('an order goes in and its ticket comes out', async () => {
      const startedAt = Date.now();
      await mesh.start();
      await mesh.operate('menu', 'load', '/app/lab/traffic/menu.json');
      const screenToken = (await mesh.operate('display', 'token', '--store', 'us-il-0001')).trim();
      await using screen = await TestScreen.open(mesh.displayUrl, 'us-il-0001', {
        authorization: `Bearer ${screenToken}`,
      });
      const order = JSON.parse(await mesh.operate('orders', 'sample', '--count', '1', '--seed', '1'));
      const sent = await fetch(`${mesh.gatewayUrl}/v1/orders`, {
        method: 'POST',
        headers: { authorization: `Bearer ${mesh.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...order, storeId: 'us-il-0001' }),
      });
      expect(await sent.json()).toMatchObject({ orderId: order.orderId, status: 'accepted' });
      expect(sent.status).toBe(202);
      await screen.ticket(order.orderId);
      // Said, and not judged: the machine of a test may be busy.
      console.log(`from kube play to the first ticket: ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
    }, 300_000);

    test('a role drains and ends by itself when its pod is stopped', async () => {
      await podman.run(['pod', 'stop', '--time', '30', 'mesh-kitchen-pod-0']);
      await vi.waitFor(async () => expect(await mesh.logs('kitchen')).toContain('"stopped"'));
      const code = await podman.run(['inspect', '--format', '{{.State.ExitCode}}', 'mesh-kitchen-pod-0-kitchen']);
      expect(code.trim()).toBe('0');
    }, 120_000);
  });
});
