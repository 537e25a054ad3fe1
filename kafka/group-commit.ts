import { limits } from '../contracts/limits.ts';
import { KafkaUnavailableError } from './errors.ts';
import type { OutgoingRecord, ProducerOptions, RecordProducer } from './producer.ts';
import type { ProduceTransport, QueuedRecord } from './transport.ts';

export function groupCommit(transport: ProduceTransport, options: Pick<ProducerOptions, 'deadlineMs'>): RecordProducer {
  let queue: QueuedRecord[] = [];
  let busy = false;
  let scheduled = false;
  const unanswered = { records: 0, bytes: 0 };
  let idle: (() => void) | undefined;

  function schedule(): void {
    if (busy || scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function take(): QueuedRecord[] {
    let bytes = 0;
    let n = 0;
    while (n < queue.length && n < 10_000) {
      bytes += (queue[n] as QueuedRecord).bytes;
      if (n > 0 && bytes > limits.producePartitionBytesMax) break;
      n += 1;
    }
    const batch = queue.slice(0, n);
    queue = queue.slice(n);
    return batch;
  }

  function flush(): void {
    scheduled = false;
    if (busy) return;
    const batch = take();
    if (batch.length === 0) {
      idle?.();
      return;
    }
    busy = true;
    transport.send(batch).then(
      () => answer(batch, null),
      (error: Error) => answer(batch, error),
    );
  }

  function answer(batch: QueuedRecord[], error: Error | null): void {
    busy = false;
    for (const queued of batch) {
      unanswered.records -= 1;
      unanswered.bytes -= queued.bytes;
      queued.done(error);
    }
    flush();
  }

  const producer: RecordProducer = {
    unanswered,
    append(record, done) {
      const bytes = sizeOf(record);
      unanswered.records += 1;
      unanswered.bytes += bytes;
      queue.push({ record, bytes, deadline: performance.now() + options.deadlineMs, done });
      schedule();
    },
    send(records) {
      if (records.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        let left = records.length;
        let failure: Error | null = null;
        const done = (error: Error | null) => {
          failure ??= error;
          left -= 1;
          if (left > 0) return;
          if (failure === null) resolve();
          else reject(failure);
        };
        for (const record of records) producer.append(record, done);
      });
    },
    async close() {
      if (unanswered.records > 0)
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      await transport.close();
    },
  };
  return producer;
}

export function unavailable(reason: string, cause?: unknown): KafkaUnavailableError {
  return new KafkaUnavailableError(reason, { cause });
}

function sizeOf(record: OutgoingRecord): number {
  return (record.value?.length ?? 0) + record.key.length + 300;
}
