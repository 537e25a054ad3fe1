import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { comparisonPage, flamePage } from '../../../telemetry/flame/flame-page.ts';
import { foldThreads } from '../../../telemetry/flame/fold.ts';
import { assertComparable, readFlameFile } from '../../../telemetry/flame/read-file.ts';
import { fromSpeedscope, toSpeedscope } from '../../../telemetry/flame/speedscope.ts';
import { cpuProfile, heapProfile } from './profiles.ts';

const profile = cpuProfile(
  [['take@runtime/slot/slot-thread.ts:9', 'decodeOrder@actors/order-validator/actor.ts:3'], 500],
  [['take@runtime/slot/slot-thread.ts:9'], 70],
  [['(idle)'], 300],
);
const flame = foldThreads([
  { thread: 'main', profile: cpuProfile([['(program)'], 11]) },
  { thread: 'slot 0', profile },
]);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-flame-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function saved(name: string, value: unknown): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

test('a file for speedscope is the same flame graph when it is read again', async () => {
  const text = toSpeedscope(flame, 'payment');
  expect(fromSpeedscope(JSON.parse(text))).toEqual({ name: 'payment', flame });
  expect(await readFlameFile(await saved('payment.speedscope.json', text))).toMatchObject({ flame, name: 'payment' });
});

test("what speedscope's format asks for is there", () => {
  const { $schema, shared, profiles } = JSON.parse(toSpeedscope(flame, 'payment'));
  expect($schema).toBe('https://www.speedscope.app/file-format-schema.json');
  const [{ samples, weights, ...about }] = profiles;
  expect(about).toEqual({ type: 'sampled', name: 'payment', unit: 'microseconds', startValue: 0, endValue: 881 });
  expect(weights.reduce((sum: number, weight: number) => sum + weight)).toBe(881);
  const names = samples.map((stack: number[]) => stack.map((number) => shared.frames[number].name).join(' > '));
  expect(names).toContain('slot 0 > decode > take > decodeOrder');
  expect(shared.frames).toContainEqual({ name: 'take', file: 'runtime/slot/slot-thread.ts', line: 9 });
});

test('profiles of one thread are read, whatever their names', async () => {
  const cpu = await readFlameFile(await saved('a.json', profile));
  expect([cpu.isOneThread, cpu.flame.unit]).toEqual([true, 'microseconds']);
  expect(cpu.flame.root.children.map(({ frame }) => frame.name)).toEqual(['thread']);
  const heap = await readFlameFile(await saved('b.json', heapProfile([['hold@runtime/retry.ts:1'], 9])));
  expect(heap.flame.unit).toBe('bytes');
  expect(() => assertComparable(cpu, heap)).toThrow(/two processor profiles or two heap profiles/);
  expect(() => assertComparable(cpu, { ...cpu, isOneThread: false })).toThrow(/of one thread and .* of all/);
});

test.each([
  ['no JSON', 'orders\n', /is no JSON, so it is no profile: give a \.speedscope\.json that `ordermesh profile`/],
  ['another object', { orders: [] }, /is no profile: give a \.speedscope\.json .*\.cpuprofile or \.heapprofile/],
  ['nodes that are none', { nodes: [{}], samples: [], timeDeltas: [] }, /is no profile/],
  ['null', null, /is no profile/],
  ['speedscope of another program', { shared: { frames: [] }, profiles: [] }, /no profile: .*of another program/],
  [
    'a stack of frames that are missing',
    JSON.parse(toSpeedscope(flame, 'x').replace(/"frames":\[.*?\]/, '"frames":[]')),
    /is no profile/,
  ],
])('a file that is %s is refused, with what would be right', async (name, value, reason) => {
  await expect(readFlameFile(await saved(`${name}.json`, value))).rejects.toThrow(reason);
});

test('a file that is not there is named', async () => {
  await expect(readFlameFile(path.join(directory, 'none'))).rejects.toThrow(/there is no file .*none/);
});

test('the page needs no network, and a name cannot leave its place', async () => {
  const evil = cpuProfile([['</script><script>alert(1)//@runtime/retry.ts:1'], 5]);
  const page = await flamePage('<b>payment & co</b>', foldThreads([{ thread: 'main', profile: evil }]));
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<(script|link|img|iframe)[^>]* (src|href)=/);
  expect(page).not.toContain('</script><script>alert');
  expect(page).toContain('<title>&lt;b>payment &amp; co&lt;/b></title>');
  // d3-flame-graph and all that it needs, the data, and the program of the page.
  expect(page.match(/<script/g)).toHaveLength(3);
  expect(page).toContain('u003c/script>');
});

test('the page of a comparison has the weights of both sides', async () => {
  const page = await comparisonPage('A · B', flame, foldThreads([{ thread: 'slot 0', profile }]));
  const [, json = ''] = /id="data">(.*)<\/script>/.exec(page) ?? [];
  const { compares, frames, root } = JSON.parse(json);
  expect(compares).toBe(true);
  const main = root[3].find(([frame]: [number]) => frames[frame][0] === 'main');
  // Of main, the stage `program` alone: a share of A in millionths, and nothing of B.
  expect(main[3][0].slice(1, 3)).toEqual([Math.round((11 / 581) * 1_000_000), 0]);
});
