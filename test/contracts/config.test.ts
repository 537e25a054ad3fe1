import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, variables } from '../../contracts/config.ts';

describe('configuration', () => {
  it('has a valid default for every variable that is not optional', () => {
    const config = loadConfig({});
    expect(config.ORDERMESH_GATEWAY_PORT).toBe(8080);
    expect(config.ORDERMESH_PRODUCE_DEADLINE).toBe(10_000);
    expect(config.ORDERMESH_MAILBOX_BYTES_MAX).toBe(16 * 2 ** 20);
    expect(config.KAFKA_BROKERS).toBeUndefined();
  });

  it('takes an empty variable as absent', () => {
    expect(loadConfig({ ORDERMESH_SLOTS: '' }).ORDERMESH_SLOTS).toBe(loadConfig({}).ORDERMESH_SLOTS);
  });

  it.each([
    ['ORDERMESH_GATEWAY_PORT', '80800', 'a whole number from 0 to 65535'],
    ['ORDERMESH_PRODUCE_DEADLINE', '10', 'a duration such as 250ms'],
    ['ORDERMESH_MAILBOX_BYTES_MAX', '16MB', 'a size such as 64KiB'],
    ['ORDERMESH_AUTH', 'maybe', 'on or off'],
    ['DATABASE_URL', 'mysql://x', 'postgres://'],
    ['ORDERMESH_LOG_LEVEL', 'loud', 'one of debug, info'],
  ])('refuses %s=%s and says what it takes', (name, value, takes) => {
    expect(() => loadConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => loadConfig({ [name]: value })).toThrow(`${name} is ${JSON.stringify(value)}; it takes`);
    expect(() => loadConfig({ [name]: value })).toThrow(takes);
  });

  it('refuses an unknown variable of ours by name', () => {
    expect(() => loadConfig({ ORDERMESH_GATEWAY_PROT: '1' })).toThrow('ORDERMESH_GATEWAY_PROT');
  });

  it('lists every fault, not only the first', () => {
    const faults = () => loadConfig({ ORDERMESH_SLOTS: '0', ORDERMESH_NOPE: '1' });
    expect(faults).toThrow(/ORDERMESH_NOPE[\s\S]*ORDERMESH_SLOTS/);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  it('documents every variable', () => {
    for (const { doc } of Object.values(variables)) expect(doc).toMatch(/\.$/);
  });
});
