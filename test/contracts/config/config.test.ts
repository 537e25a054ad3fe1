import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../contracts/config/config.ts';
import { variables } from '../../../contracts/config/variables.ts';

describe('configuration', () => {
  test('has a valid default for every variable that is not optional', () => {
    const config = loadConfig({});
    expect(config.ORDERMESH_GATEWAY_PORT).toBe(8080);
    expect(config.ORDERMESH_PRODUCE_DEADLINE).toBe(10_000);
    expect(config.ORDERMESH_MAILBOX_BYTES_MAX).toBe(16 * 2 ** 20);
    expect(config.KAFKA_BROKERS).toBeUndefined();
  });

  test('takes an empty variable as absent', () => {
    expect(loadConfig({ ORDERMESH_SLOTS: '' }).ORDERMESH_SLOTS).toBe(loadConfig({}).ORDERMESH_SLOTS);
  });

  test.each([
    ['ORDERMESH_GATEWAY_PORT', '80800', 'a whole number from 0 to 65535'],
    ['ORDERMESH_PRODUCE_DEADLINE', '10', 'a duration such as 250ms'],
    ['ORDERMESH_MAILBOX_BYTES_MAX', '16MB', 'a size such as 64KiB'],
    ['ORDERMESH_AUTH', 'maybe', 'on or off'],
    ['ORDERMESH_LOG_LEVEL', 'loud', 'one of debug, info'],
  ])('refuses %s=%s and says what it takes', (name, value, takes) => {
    expect(() => loadConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => loadConfig({ [name]: value })).toThrow(`${name} is ${JSON.stringify(value)}; it takes`);
    expect(() => loadConfig({ [name]: value })).toThrow(takes);
  });

  test.each([
    ['ORDERMESH_EDGE_PROBE_INTERVAL', '0ms', 'from 100ms'],
    ['ORDERMESH_EDGE_BACKOFF_MAX', '0s', 'from 100ms'],
    ['ORDERMESH_WAREHOUSE_INSERT_TIMEOUT', '0ms', 'from 100ms'],
    ['ORDERMESH_PRODUCE_DEADLINE', '0ms', 'from 100ms'],
    ['ORDERMESH_RETRY_BACKOFF', '0ms', 'from 1ms'],
    ['ORDERMESH_UNANSWERED_BYTES_MAX', '0B', 'from 256KiB'],
    ['ORDERMESH_MAILBOX_BYTES_MAX', '0B', 'from 256KiB'],
  ])('refuses %s=%s, with which nothing would work, and says %s', (name, value, from) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`${name} is ${JSON.stringify(value)}; it takes`);
    expect(() => loadConfig({ [name]: value })).toThrow(from);
  });

  test('takes 0 where it means something', () => {
    const zeros = {
      ORDERMESH_PRODUCE_LINGER: '0ms',
      ORDERMESH_DRAIN_TIMEOUT: '0s',
      ORDERMESH_EDGE_DISK_FREE_MIN: '0B',
    };
    expect(loadConfig(zeros)).toMatchObject({ ORDERMESH_PRODUCE_LINGER: 0, ORDERMESH_EDGE_DISK_FREE_MIN: 0 });
  });

  test('refuses an unknown variable of ours by name', () => {
    expect(() => loadConfig({ ORDERMESH_GATEWAY_PROT: '1' })).toThrow('ORDERMESH_GATEWAY_PROT');
  });

  test('lists every fault, not only the first', () => {
    const faults = () => loadConfig({ ORDERMESH_SLOTS: '0', ORDERMESH_NOPE: '1' });
    expect(faults).toThrow(/ORDERMESH_NOPE[\s\S]*ORDERMESH_SLOTS/);
  });

  const durations = Object.entries(variables).flatMap(([name, { kind }]) =>
    kind.takes.startsWith('a duration') ? [[name, kind.takes] as const] : [],
  );

  test.each(durations)('%s takes %s, and nothing that a timer would make a millisecond of', (name) => {
    const kind = variables[name as 'ORDERMESH_RATE_BURST'].kind;
    expect(() => loadConfig({ [name]: '36500d' })).toThrow(`${name} is "36500d"; it takes a duration`);
    // These are compared with ages and times, or given to PostgreSQL. No timer is set to them.
    const noTimer = [
      'ORDERMESH_DISPLAY_DUE_AFTER',
      'ORDERMESH_DISPLAY_LATE_AFTER',
      'ORDERMESH_RECENT_AGE',
      'ORDERMESH_DEAD_LETTERS_KEPT',
      'ORDERMESH_FRAUD_WINDOW',
      'ORDERMESH_MENU_REPLAY_WINDOW',
      'ORDERMESH_EDGE_REPLAY_WINDOW',
    ];
    if (noTimer.includes(name)) expect(kind.parse('60d')).toBe(60 * 86_400_000);
    else expect(() => loadConfig({ [name]: '25d' })).toThrow(`${name} is "25d"; it takes a duration`);
  });

  test.each(['foo', 'foo:', ':9092', 'foo:0', 'foo:65536', 'foo:9092,bar', 'kafka://foo:9092'])(
    'refuses KAFKA_BROKERS=%s',
    (value) => {
      const takes = `KAFKA_BROKERS is ${JSON.stringify(value)}; it takes host:port of the bootstrap brokers`;
      expect(() => loadConfig({ KAFKA_BROKERS: value })).toThrow(takes);
    },
  );

  test('takes brokers by name and by address', () => {
    const brokers = ['kafka-0.kafka_headless:9092', '10.0.0.1:9092', '[::1]:9092'];
    expect(loadConfig({ KAFKA_BROKERS: brokers.join(', ') }).KAFKA_BROKERS).toEqual(brokers);
  });

  test('refuses a ticket that is late before it is due', () => {
    expect(() => loadConfig({ ORDERMESH_DISPLAY_DUE_AFTER: '10m' })).toThrow(
      'ORDERMESH_DISPLAY_DUE_AFTER is "10m"; it takes a duration up to that of ORDERMESH_DISPLAY_LATE_AFTER, which is "5m"',
    );
    const both = { ORDERMESH_DISPLAY_DUE_AFTER: '5m', ORDERMESH_DISPLAY_LATE_AFTER: '5m' };
    expect(loadConfig(both).ORDERMESH_DISPLAY_DUE_AFTER).toBe(300_000);
  });

  test('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  test('documents every variable', () => {
    for (const { doc } of Object.values(variables)) expect(doc).toMatch(/\.$/);
  });
});
