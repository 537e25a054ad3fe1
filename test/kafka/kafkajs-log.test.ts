import { logLevel } from 'kafkajs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { kafkajsLog } from '../../kafka/kafkajs/kafkajs-log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function entry(message: string, error?: string) {
  const log = { timestamp: '', logger: 'kafkajs', message, broker: 'b:1', ...(error === undefined ? {} : { error }) };
  return { namespace: 'Connection', level: logLevel.ERROR, label: 'ERROR', log };
}

test('a line that kafkajs repeats is told once when it begins and once when it ends; what is ordinary, never', () => {
  const told: string[] = [];
  const tell = (details: object, message: string) => void told.push(`${message} ${JSON.stringify(details)}`);
  const pass = kafkajsLog({ info: tell, warn: tell, error: tell }).logCreator();
  for (let second = 0; second < 60; second++) {
    pass(entry('Connection error: connect ECONNREFUSED'));
    pass(entry('Response Heartbeat(key: 12, version: 3)', 'The group is rebalancing, so a rejoin is needed'));
    vi.advanceTimersByTime(1_000);
  }
  const details = '{"client":"kafkajs","part":"Connection","broker":"b:1"';
  expect(told).toEqual([`Connection error: connect ECONNREFUSED ${details}}`]);
  vi.advanceTimersByTime(60_000);
  expect(told.slice(1)).toEqual([`no longer: Connection error: connect ECONNREFUSED ${details},"times":60}`]);
  pass(entry('Connection error: connect ECONNREFUSED'));
  expect(told).toHaveLength(3);
});
