import { randomUUID } from 'node:crypto';
import type { PubSub } from '@google-cloud/pubsub';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OrderedPublisher, PubSubUnavailableError } from '../../bridge/ordered-publisher.ts';
import { ensureTopology } from '../../bridge/topology.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';
import { describeGoogleCloud, pubSubOf, testConfig, testNames } from './cloud.ts';

const names = testNames();

describeGoogleCloud('ordered publisher', () => {
  let proxy: ToggledProxy;
  let pubSub: PubSub;
  let restored: number;

  beforeEach(async () => {
    const config = testConfig();
    proxy = await startToggledProxy(config.PUBSUB_EMULATOR_HOST ?? '');
    pubSub = pubSubOf({ ...config, PUBSUB_EMULATOR_HOST: proxy.address });
    await ensureTopology(pubSub, names, undefined);
    restored = 0;
  });

  afterEach(async () => {
    await pubSub.close();
    await proxy.close();
  });

  function publisher(messagesMax = 100): OrderedPublisher {
    return new OrderedPublisher(pubSub, {
      topic: names.topic,
      messagesMax,
      bytesMax: 1 << 20,
      deadlineMs: 300,
      async restoreTopology() {
        restored++;
        await ensureTopology(pubSub, names, undefined);
      },
    });
  }

  function message(orderingKey: string = randomUUID()) {
    return { data: Buffer.alloc(100, 'x'), orderingKey, attributes: { id: randomUUID() } };
  }

  test('keeps nothing of keys that failed, and takes each of them again', async () => {
    const subject = publisher();
    const messages = Array.from({ length: 50 }, () => message());
    proxy.interrupt();
    const failed = await Promise.allSettled(messages.map((one) => subject.publish(one)));
    expect(failed.map((result) => result.status === 'rejected' && result.reason)).toEqual(
      messages.map(() => expect.any(PubSubUnavailableError)),
    );
    expect(subject.keysHeld).toBe(0);
    expect(subject.outstanding).toEqual({ messages: 0, bytes: 0 });
    proxy.resume();
    for (const one of messages) await untilPublished(subject, one);
    expect(subject.keysHeld).toBe(0);
  });

  test('restores a lost topic once for all who miss it', async () => {
    const subject = publisher();
    await pubSub.topic(names.topic).delete();
    const lost = await Promise.allSettled(Array.from({ length: 20 }, () => subject.publish(message())));
    expect(lost.every(({ status }) => status === 'rejected')).toBe(true);
    expect(restored).toBe(1);
    await subject.publish(message());
  });

  test('blames no message for a topic that cannot be', async () => {
    const subject = new OrderedPublisher(pubSub, {
      topic: 'x',
      messagesMax: 10,
      bytesMax: 1 << 20,
      deadlineMs: 1_000,
      restoreTopology: () => ensureTopology(pubSub, { ...names, topic: 'x' }, undefined),
    });
    await expect(subject.publish(message())).rejects.toThrow(PubSubUnavailableError);
  });

  test('has no more under way than its bound', async () => {
    const subject = publisher(3);
    const all = Array.from({ length: 50 }, () => subject.publish(message()));
    expect(subject.outstanding.messages).toBe(3);
    await Promise.all(all);
    expect(subject.outstanding).toEqual({ messages: 0, bytes: 0 });
  });
});

/** The channel takes a moment of its own to connect again. */
async function untilPublished(
  subject: OrderedPublisher,
  one: Parameters<OrderedPublisher['publish']>[0],
): Promise<void> {
  for (;;) {
    try {
      return await subject.publish(one);
    } catch (error) {
      if (!(error instanceof PubSubUnavailableError)) throw error;
    }
  }
}
