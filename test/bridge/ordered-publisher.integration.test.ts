import { randomUUID } from 'node:crypto';
import type { PubSub } from '@google-cloud/pubsub';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OrderedPublisher, PubSubUnavailableError } from '../../bridge/pubsub/ordered-publisher.ts';
import { checkTopology, ensureTopology } from '../../bridge/pubsub/topology.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';
import { describeGoogleCloud, pubSubOf, testConfig, testNames } from './cloud.ts';

const names = testNames();

describeGoogleCloud('ordered publisher', () => {
  let proxy: ToggledProxy;
  let pubSub: PubSub;
  let checked: number;

  beforeEach(async () => {
    const config = testConfig();
    proxy = await startToggledProxy(config.PUBSUB_EMULATOR_HOST ?? '');
    pubSub = pubSubOf({ ...config, PUBSUB_EMULATOR_HOST: proxy.address });
    await ensureTopology(pubSub, names, undefined);
    checked = 0;
  });

  afterEach(async () => {
    await pubSub.close();
    await proxy.close();
  });

  function publisher(messagesMax = 100, deadlineMs = 300): OrderedPublisher {
    return new OrderedPublisher(pubSub, {
      topic: names.topic,
      messagesMax,
      bytesMax: 1 << 20,
      deadlineMs,
      async checkTopology() {
        checked++;
        await checkTopology(pubSub, names);
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

  test('publishes nothing to a topic that was lost until its subscriptions are there, and asks once for all', async () => {
    const subject = publisher(100, 10_000);
    await pubSub.topic(names.topic).delete();
    for (const name of [names.warehouseSubscription, names.loyaltySubscription])
      await pubSub.subscription(name).delete();
    const all = () => Promise.allSettled(Array.from({ length: 20 }, () => subject.publish(message())));
    const refused = Array.from({ length: 20 }, () => ({
      status: 'rejected',
      reason: expect.any(PubSubUnavailableError),
    }));
    expect(await all()).toEqual(refused);
    expect(checked).toBe(1);
    // Another process is making both, and has made one.
    await pubSub.createTopic(names.topic);
    expect(await all()).toEqual(refused);
    const made: string[] = [];
    await ensureTopology(pubSub, names, undefined, (what) => made.push(what));
    expect(made.sort()).toEqual([
      `subscription ${names.loyaltySubscription}`,
      `subscription ${names.warehouseSubscription}`,
    ]);
    expect((await all()).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(checked).toBe(3);
  });

  test('a topic that was deleted is not made again while a subscription of it would get nothing', async () => {
    const subject = publisher(100, 10_000);
    await subject.publish(message());
    await pubSub.topic(names.topic).delete();
    await expect(ensureTopology(pubSub, names, undefined)).rejects.toThrow(`has lost its topic ${names.topic}`);
    await expect(subject.publish(message())).rejects.toThrow(PubSubUnavailableError);
    for (const name of [names.warehouseSubscription, names.loyaltySubscription])
      await pubSub.subscription(name).delete();
    await ensureTopology(pubSub, names, undefined);
    await subject.publish(message());
  });

  test('blames no message for a topic that cannot be', async () => {
    const subject = new OrderedPublisher(pubSub, {
      topic: 'x',
      messagesMax: 10,
      bytesMax: 1 << 20,
      deadlineMs: 1_000,
      checkTopology: () => checkTopology(pubSub, { ...names, topic: 'x' }),
    });
    await expect(subject.publish(message())).rejects.toThrow(PubSubUnavailableError);
  });

  test('has no more in flight than its bound', async () => {
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
