import { describe, expect, test, vi } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { KafkaUnavailableError, RecordRefusedError } from '../../kafka/errors.ts';
import { groupCommit } from '../../kafka/producer/group-commit.ts';
import type { ProduceTransport, QueuedRecord } from '../../kafka/producer/transport.ts';

/** A transport whose sends the test ends by hand. */
class HeldTransport implements ProduceTransport {
  readonly batches: { values: string[]; finish(error?: Error | null): void }[] = [];
  closed = false;
  trouble: Error | undefined;

  send(batch: readonly QueuedRecord[]): Promise<void> {
    return new Promise((resolve) => {
      this.batches.push({
        values: batch.map(({ record }) => String(record.value)),
        finish(error = null) {
          for (const queued of batch) queued.settle(error);
          resolve();
        },
      });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function open(deadlineMs = 60_000, batchBytesMax = 1_000_000, lingerMs = 0) {
  const transport = new HeldTransport();
  const producer = groupCommit(transport, { deadlineMs, batchBytesMax, lingerMs });
  const append = (value: string | Buffer) =>
    new Promise<Error | null>((resolve) => producer.append({ topic: 't', key: 'k', value }, resolve));
  const batch = (index: number) => vi.waitUntil(() => transport.batches[index]);
  return { transport, producer, append, batch };
}

describe('group commit', () => {
  test('sends what one tick brought together, and gathers the rest while that is in flight', async () => {
    const { transport, append, batch } = open();
    const first = [append('1'), append('2')];
    expect((await batch(0)).values).toEqual(['1', '2']);
    const second = [append('3'), append('4'), append('5')];
    await new Promise(setImmediate);
    expect(transport.batches).toHaveLength(1);
    (await batch(0)).finish();
    expect(await Promise.all(first)).toEqual([null, null]);
    expect((await batch(1)).values).toEqual(['3', '4', '5']);
    (await batch(1)).finish();
    expect(await Promise.all(second)).toEqual([null, null, null]);
  });

  describe('with a linger', () => {
    const never = 1_000_000_000;

    test('sends the first record at once, and lets the next few gather until they are enough', async () => {
      const { transport, append, batch } = open(60_000, 1_000_000, never);
      const first = append('1');
      (await batch(0)).finish();
      expect(await first).toBeNull();
      const few = Array.from({ length: 15 }, (_, index) => append(String(index)));
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      expect(transport.batches).toHaveLength(1);
      const enough = append('enough');
      expect((await batch(1)).values).toHaveLength(16);
      (await batch(1)).finish();
      expect(await Promise.all([...few, enough])).toEqual(Array(16).fill(null));
    });

    test('sends the few when its time has passed', async () => {
      const { append, batch } = open(60_000, 1_000_000, 20);
      const first = append('1');
      (await batch(0)).finish();
      await first;
      const second = append('2');
      expect((await batch(1)).values).toEqual(['2']);
      (await batch(1)).finish();
      expect(await second).toBeNull();
    });

    test('does not wait any longer once it is to close', async () => {
      const { producer, append, batch } = open(60_000, 1_000_000, never);
      const first = append('1');
      (await batch(0)).finish();
      await first;
      const second = append('2');
      await new Promise(setImmediate);
      const closed = producer.close();
      expect((await batch(1)).values).toEqual(['2']);
      (await batch(1)).finish();
      expect(await second).toBeNull();
      await closed;
    });
  });

  test('bounds a batch by bytes, and takes one record that is larger', async () => {
    const { append, batch } = open(60_000, 1_000);
    const values = ['a'.repeat(400), 'b'.repeat(400), 'c'.repeat(400), 'd'.repeat(3_000)];
    for (const value of values) append(value);
    expect((await batch(0)).values).toEqual(values.slice(0, 2));
    (await batch(0)).finish();
    expect((await batch(1)).values).toEqual(values.slice(2, 3));
    (await batch(1)).finish();
    expect((await batch(2)).values).toEqual(values.slice(3));
  });

  test('counts what is unanswered', async () => {
    const { producer, append, batch } = open();
    append('x'.repeat(500));
    append('y');
    expect(producer.unanswered.records).toBe(2);
    expect(producer.unanswered.bytes).toBeGreaterThan(500);
    (await batch(0)).finish();
    await vi.waitFor(() => expect(producer.unanswered).toEqual({ records: 0, bytes: 0 }));
  });

  test('answers records at their deadline, once, and drops those that have not left', async () => {
    const { producer, append, batch, transport } = open(50);
    const inFlight = append('in flight');
    const held = await batch(0);
    const waiting = append('waiting');
    expect(await inFlight).toBeInstanceOf(KafkaUnavailableError);
    expect(await waiting).toBeInstanceOf(KafkaUnavailableError);
    expect(producer.unanswered).toEqual({ records: 0, bytes: 0 });
    held.finish();
    const later = append('later');
    expect((await batch(1)).values).toEqual(['later']);
    transport.batches[1]?.finish();
    expect(await later).toBeNull();
  });

  test('gives each record its own answer, and `send` the first error', async () => {
    const { producer, append, batch } = open();
    const refused = new RecordRefusedError('no');
    const all = producer.send([
      { topic: 't', key: 'k', value: '1' },
      { topic: 't', key: 'k', value: '2' },
    ]);
    (await batch(0)).finish(refused);
    await expect(all).rejects.toBe(refused);
    const next = append('3');
    (await batch(1)).finish();
    expect(await next).toBeNull();
  });

  test('sends what is appended in the answer to its last record', async () => {
    const { producer, batch } = open();
    const answers: (Error | null)[] = [];
    producer.append({ topic: 't', key: 'k', value: 'refused' }, (error) => {
      answers.push(error);
      producer.append({ topic: 't', key: 'k', value: 'instead' }, (next) => answers.push(next));
    });
    const refused = new RecordRefusedError('no');
    (await batch(0)).finish(refused);
    expect((await batch(1)).values).toEqual(['instead']);
    (await batch(1)).finish();
    await vi.waitUntil(() => answers.length === 2);
    expect(answers).toEqual([refused, null]);
  });

  test('closes after what is appended in the answer to its last record was refused', async () => {
    const { transport, producer, batch } = open();
    const answers: (Error | null)[] = [];
    producer.append({ topic: 't', key: 'k', value: '1' }, () => {
      producer.append({ topic: 't', key: 'k', value: '2' }, (error) => answers.push(error));
    });
    const first = await batch(0);
    const closed = producer.close();
    first.finish();
    await closed;
    expect(answers).toEqual([expect.any(KafkaUnavailableError)]);
    expect(transport.batches).toHaveLength(1);
  });

  test('refuses at once what no request could hold', async () => {
    const { append, producer } = open();
    expect(await append(Buffer.alloc(limits.producePartitionBytesMax))).toBeInstanceOf(RecordRefusedError);
    expect(producer.unanswered.records).toBe(0);
  });

  test('closes after the answers, and takes nothing more', async () => {
    const { transport, producer, append, batch } = open();
    const last = append('last');
    const closed = producer.close();
    expect(await append('late')).toBeInstanceOf(KafkaUnavailableError);
    expect(transport.closed).toBe(false);
    (await batch(0)).finish();
    expect(await last).toBeNull();
    await closed;
    expect(transport.closed).toBe(true);
  });
});
