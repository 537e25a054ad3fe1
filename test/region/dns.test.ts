import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sign, verify } from '../../region/dns/tsig.ts';
import { updateMessage } from '../../region/dns/update.ts';
import { encodeName } from '../../region/dns/wire.ts';

const update = { zone: 'example.com', name: 'orders.example.com', address: '192.0.2.7', ttlSeconds: 5 };

describe('an update of RFC 2136', () => {
  test('deletes the addresses of the name and adds the new one', () => {
    const hex = updateMessage(update, 0x1234).toString('hex');
    const name = '066f7264657273076578616d706c6503636f6d00';
    expect(hex).toBe(
      [
        '123428000001000000030000',
        '076578616d706c6503636f6d0000060001',
        `${name}000100ff000000000000`,
        `${name}001c00ff000000000000`,
        `${name}00010001000000050004c0000207`,
      ].join(''),
    );
  });

  test('writes IPv6 addresses in full', () => {
    for (const [address, bytes] of [
      ['2001:db8::7', '20010db8000000000000000000000007'],
      ['::1', '00000000000000000000000000000001'],
      ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ] as const)
      expect(
        updateMessage({ ...update, address }, 1)
          .subarray(-16)
          .toString('hex'),
      ).toBe(bytes);
  });

  test('refuses what is no address, and labels that are too long', () => {
    expect(() => updateMessage({ ...update, address: 'west' }, 1)).toThrow('west is no IP address');
    expect(() => encodeName(`${'a'.repeat(64)}.com`)).toThrow('longer than 63 bytes');
  });
});

describe('TSIG', () => {
  const key = { name: 'failover', secret: randomBytes(32) };
  const now = Date.parse('2026-11-24T00:00:00Z');
  const { signed, mac } = sign(updateMessage(update, 1), key, now);

  test('adds one record to the message', () => {
    expect(signed.readUInt16BE(10)).toBe(1);
  });

  test('refuses an answer without a signature', () => {
    expect(() => verify(updateMessage(update, 1), mac, key, now)).toThrow('is not signed');
  });

  test('refuses an answer that was signed for another request', () => {
    expect(() => verify(signed, mac, key, now)).toThrow('not of the shared key');
  });
});
