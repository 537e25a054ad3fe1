import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import type { ConsumerListener, GroupConsumer } from '../../kafka/consumer/consumer.ts';
import { KafkaUnavailableError } from '../../kafka/errors.ts';
import { runtimeLimits } from '../../runtime/host/host-options.ts';
import type { HostedSlot, HostPorts } from '../../runtime/host/host-ports.ts';
import type { LogKeeper } from '../../runtime/host/partitions/log-keeper.ts';
import { RuntimeHost } from '../../runtime/host/runtime-host.ts';
import type { SlotListener } from '../../runtime/host/slots/slot.ts';
import { SlotDeathError } from '../../runtime/host/slots/slot-death.ts';
import type { EnteredLog } from '../../store/partitions/partition-logs.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';
import { ManualTimers } from './manual-timers.ts';

const place = { topic: 't', partition: 0 };
const LONG_MS = 60_000;
const entered: EnteredLog = {
  partition: 0,
  logId: 'l',
  log: 0,
  startAt: 0,
  committed: undefined,
  change: undefined,
  skipped: undefined,
};

/** The real host with one slot. Its ports fail while the test has set their fault. */
async function bench() {
  const timers = new ManualTimers();
  const lines: string[] = [];
  const logger = createLogger('test', 'silent');
  const note = (_: object, message?: string) => void lines.push(message ?? '');
  Object.assign(logger, { warn: note, error: note, info: note });
  const faults = { claim: false, commit: false, start: false, stop: false, progress: false };
  let listener: ConsumerListener | undefined;
  let slotListener: SlotListener | undefined;
  const consumer: GroupConsumer = {
    assignment: [place],
    health: { state: 'assigned', since: 0, provenAt: 0, restarts: 0, standing: [] },
    async commit() {
      if (faults.commit) throw new KafkaUnavailableError('OffsetCommit has no answer');
    },
    pause() {},
    resume() {},
    seek() {},
    async close() {},
  };
  let running = false;
  const slot: HostedSlot = {
    index: 0,
    get running() {
      return running;
    },
    async start() {
      if (faults.start) throw new Error('no memory for a thread');
      running = true;
    },
    async open() {},
    take() {},
    drain: async () => [],
    close() {},
    metrics: async () => [],
    view: async () => undefined,
    async stop() {
      if (faults.stop) throw new Error('the pool of the actor does not close');
    },
  };
  const logs: LogKeeper = {
    look: async () => ({ clusterId: 'c', logId: 'l', partitions: 1, ranges: new Map() }),
    remembered: async (partitions) => partitions,
    async progress() {
      if (faults.progress) throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
    },
    async skipped() {},
  };
  const ports: HostPorts = {
    timers,
    registry: new Registry(),
    stages: new StageClock({ now: timers.now }),
    async createConsumer(given) {
      listener = given;
      return consumer;
    },
    createSlot(_, given) {
      slotListener = given;
      return slot;
    },
    ownership: {
      async claim() {
        if (faults.claim) throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
        return new Map([[0, { epoch: 1, parked: [], log: entered }]]);
      },
      async close() {},
    },
    logs,
  };
  const limits = runtimeLimits(loadConfig({}));
  const host = new RuntimeHost({ role: 'test', logger, group: 'g', topic: 't', slots: 1, limits }, ports);
  await host.start();
  const finish = (frontier: number) =>
    slotListener?.onReport({
      kind: 'progress',
      partitions: [
        { partition: 0, incarnation: incarnation(), frontier, messages: 0, bytes: 0, parkedKeys: 0, keys: 0 },
      ],
    });
  /** The partition's current incarnation: each assignment and each restart has its own. */
  let opened = 0;
  const incarnation = () => opened;
  slot.open = async ([partition]) => {
    opened = partition?.incarnation ?? 0;
  };
  return {
    timers,
    host,
    faults,
    finish,
    assign: () => void listener?.onAssigned([place]),
    lose: () => listener?.onLost([place]),
    revoke: () => listener?.onRevoked([place]),
    die() {
      running = false;
      slotListener?.onDeath(new SlotDeathError(new Error('it ended'), []));
    },
    fence: () => slotListener?.onReport({ kind: 'fenced', partition: 0, incarnation: incarnation() }),
    /** The messages logged since the last call. */
    told: () => lines.splice(0),
  };
}

test('partitions that cannot be opened are logged once, and the end once', async () => {
  const { timers, faults, host, assign, told } = await bench();
  faults.claim = true;
  assign();
  await timers.advance(LONG_MS);
  expect(told()).toEqual(['partitions assigned', 'cannot open partitions; trying again']);
  expect(host.readiness()).toMatch(/ECONNREFUSED/);
  faults.claim = false;
  await timers.advance(LONG_MS);
  expect(told()).toEqual([expect.stringMatching(/^partitions can be opened again after \d+ s$/)]);
  expect(host.readiness()).toBeUndefined();
});

test('partitions that are lost before they could be opened end the state', async () => {
  const { timers, faults, assign, lose, told } = await bench();
  faults.claim = true;
  assign();
  await timers.advance(LONG_MS);
  told();
  lose();
  await timers.advance(LONG_MS);
  expect(told()).toEqual(['partitions lost', expect.stringMatching(/^no partition is left to open after/)]);
});

test('positions that cannot be committed are logged once, and the end once', async () => {
  const { timers, faults, assign, finish, told } = await bench();
  assign();
  await timers.advance(1_000);
  told();
  faults.commit = true;
  finish(5);
  await timers.advance(LONG_MS);
  expect(told()).toEqual(['positions cannot be committed; trying again']);
  faults.commit = false;
  await timers.advance(LONG_MS);
  expect(told()).toEqual([expect.stringMatching(/^positions can be committed again after \d+ s$/)]);
});

test('a membership that cannot be proven is logged once, and the end once', async () => {
  const { timers, faults, assign, finish, fence, told } = await bench();
  assign();
  await timers.advance(1_000);
  finish(5);
  await timers.advance(LONG_MS);
  told();
  faults.commit = true;
  fence();
  await timers.advance(LONG_MS);
  expect(told()).toEqual(['fenced by a newer epoch', 'cannot prove the membership; trying again']);
  faults.commit = false;
  await timers.advance(LONG_MS);
  expect(told()).toEqual([expect.stringMatching(/^the membership is proven after \d+ s$/)]);
});

test('a thread that does not start is logged once, and the end once', async () => {
  const { timers, faults, assign, die, told } = await bench();
  assign();
  await timers.advance(1_000);
  told();
  faults.start = true;
  die();
  await timers.advance(LONG_MS);
  expect(told()).toEqual(['thread died; it is replaced', 'thread does not start; trying again']);
  faults.start = false;
  await timers.advance(LONG_MS);
  expect(told()).toEqual([expect.stringMatching(/^thread runs again after \d+ s$/)]);
});

test('progress that cannot be recorded when partitions are given up is told', async () => {
  const { timers, faults, assign, finish, revoke, told } = await bench();
  assign();
  await timers.advance(1_000);
  finish(5);
  told();
  faults.progress = true;
  const revoked = revoke();
  await timers.advance(LONG_MS);
  await revoked;
  expect(told()).toEqual(['progress of partitions that were given up is not recorded; the last record of it stands']);
});

test('a thread that does not stop as it should is told', async () => {
  const { faults, host, told } = await bench();
  told();
  faults.stop = true;
  await host.close();
  expect(told()).toEqual(['thread was ended before it had closed everything']);
});
