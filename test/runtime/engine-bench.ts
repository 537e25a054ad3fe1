// An engine with modelled time, log and store, for the tests of its parts.

import type { OutgoingRecord } from '../../kafka/producer/producer.ts';
import type { Actor } from '../../runtime/actor.ts';
import { SlotEngine } from '../../runtime/slot/slot-engine.ts';
import { PackedBatch, packBatch } from '../../runtime/wire/batch-codec.ts';
import type { SlotLimits, SlotReport } from '../../runtime/wire/slot-protocol.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';
import { ManualTimers } from './manual-timers.ts';

export const limits: SlotLimits = {
  turnSizeMax: 4,
  turnsMax: 2,
  preparesMax: 3,
  retriesMax: 3,
  retryBackoffMs: 100,
  outageBackoffMs: 10,
  outageBackoffMsMax: 1_000,
  prepareMsMax: 60_000,
  produceDeadlineMs: 1_000,
};

export interface Sent {
  key: string;
  offset: number;
}

/** An engine with modelled time, log and store. */
export function bench(actor: Actor<unknown, unknown>) {
  const timers = new ManualTimers();
  const produced: OutgoingRecord[] = [];
  const parked: string[] = [];
  const reports: SlotReport[] = [];
  const frontiers = new Map<number, number | undefined>();
  const fenced = new Set<number>();
  const faults = { append: (_: OutgoingRecord): Error | null => null, transact: (): Error | undefined => undefined };
  let finished = 0;
  const engine = new SlotEngine(actor, 'g', limits, {
    timers,
    async transact(entries) {
      await new Promise<void>((resolve) => timers.after(5, resolve));
      const fault = faults.transact();
      if (fault !== undefined) throw fault;
      const current = entries.filter(({ partition }) => !fenced.has(partition));
      const items = current.map((entry) => ({ message: entry, input: entry.input, prepared: entry.prepared }));
      const outputs = (await actor.apply?.(items, undefined as never)) ?? [];
      return { fenced, outputs };
    },
    append(record, done) {
      timers.after(3, () => {
        const fault = faults.append(record);
        if (fault === null) produced.push(record);
        done(fault);
      });
    },
    async park({ partition, key }) {
      if (fenced.has(partition)) return false;
      parked.push(key);
      return true;
    },
    report(report) {
      reports.push(report);
      if (report.kind !== 'progress') return;
      for (const progress of report.partitions) {
        frontiers.set(progress.partition, progress.frontier);
        finished += progress.messages;
      }
    },
    onParked() {},
    observe: { turn() {}, retry() {}, deadLetter() {} },
    stages: new StageClock({ now: timers.now }),
  });
  const open = (partition: number) => engine.open({ topic: 't', partition, incarnation: 1, epoch: 1, parked: [] });
  const take = (partition: number, records: Sent[]) =>
    engine.take(
      partition,
      1,
      new PackedBatch(
        packBatch(
          records.map(({ key, offset }) => ({
            offset,
            timestamp: 0,
            key: Buffer.from(key),
            value: Buffer.from(String(offset)),
            headers: {},
          })),
        ).buffer,
      ),
    );
  return { engine, timers, produced, parked, reports, frontiers, fenced, faults, open, take, finished: () => finished };
}

export const records = (...keys: string[]): Sent[] => keys.map((key, offset) => ({ key, offset }));
